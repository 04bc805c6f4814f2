// Scenarios of workers that lose their lease, and do not know it.
#include <stdexcept>

#include "tests/chaos/clients.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"

namespace jobq::chaos {
namespace {

using nlohmann::json;

constexpr int kTakes = 40;  // of at most a second each

// A worker with one lease for all it runs, told what to do step by step.
class StepWorker {
  public:
    StepWorker(Rig& rig, const std::string& wid) : rig_(rig), wid_(wid) { come(); }

    // Also again, after it was silent.
    void come() {
        wire_ = connect(rig_.daemon().socket(), R"({"v":2,"jobq":1,"hostname":"chaos","pid":1,)"
                                                R"("labels":[],"slots":1,"wid":")" +
                                                    wid_ + "\"}");
        if (!wire_) throw std::runtime_error("jobqd does not take the worker " + wid_);
    }

    // Waits for a job of the queue "stale" and marks its start.
    void take() {
        for (int tries = 0; tries < kTakes; ++tries) {
            const json jobs =
                wire_->ask_json(R"(JOBQ TAKE {"queues":["stale"],"count":1,"wait_ms":1000})");
            if (jobs.at("jobs").empty()) continue;
            const json& job = jobs["jobs"][0];
            mark_ = start_of(job, wid_);
            write_mark(rig_.witness_log(), mark_);
            return;
        }
        throw std::runtime_error("no job came to " + wid_);
    }

    void end_well() {
        mark_.kind = Mark::Kind::end_ok;
        mark_.at_us = monotonic_us();
        write_mark(rig_.witness_log(), mark_);
    }

    // Whether it was taken.
    void report() {
        Call call{Call::Kind::finish, Outcome::info, mark_.jid, monotonic_us(), 0, mark_.token, ""};
        const json one{{"jid", mark_.jid}, {"token", mark_.token}, {"outcome", "success"}};
        const json answer = wire_->ask_json("JOBQ DONE " + json{{"jobs", {one}}}.dump());
        call.returned_us = monotonic_us();
        call.text = answer.dump();
        call.outcome = answer.at("jobs")[0].at("ok") ? Outcome::ok : Outcome::fail;
        rig_.history().add(std::move(call));
    }

  private:
    Rig& rig_;
    const std::string wid_;
    std::unique_ptr<test::Wire> wire_;
    Mark mark_;
};

// One worker is silent until its job has been given to another, then says that it is done.
Report stale_finish(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.traffic.producers = 1;
    Rig rig(options, setup);
    directory = rig.directory();
    StepWorker silent(rig, "silentworker"), other(rig, "otherworker");
    const auto once = [&] {
        rig.enqueue(rig.history().fresh("stale-"), "{}", {}, "stale");
        Fault silence{Fault::Kind::pause, monotonic_us(), 0, "silentworker", 0};
        silent.take();
        other.take();
        silence.until_us = monotonic_us();
        rig.note(silence);
        silent.come();
        silent.report();
        other.end_well();
        other.report();
    };
    rig.repeat(100, 500, once);
    return rig.finish();
}

}  // namespace

std::vector<Scenario> lease_scenarios() {
    return {
        {"stale_finish", "6 a worker reports after its lease was given to another", "", true,
         stale_finish},
    };
}

}  // namespace jobq::chaos
