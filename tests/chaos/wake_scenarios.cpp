// Scenario of workers that wait at one queue, each for jobs of a type of its own: a job must wake
// one that runs it, at once, and not the others, who wait on.
#include <memory>
#include <stdexcept>
#include <utility>

#include "tests/chaos/clients.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"

namespace jobq::chaos {
namespace {

using nlohmann::json;

// Who is woken answers within milliseconds; who is not, at the end of its wait. What lies between
// is far from both on any machine.
constexpr int kWaitMs = 12'000;
constexpr int64_t kLateUs = 6'000'000;
constexpr int64_t kLostUs = 60'000'000;

// Runs jobs of one type. It waits all the time but while it has one.
class Specialist {
  public:
    Specialist(Rig& rig, std::string type)
        : rig_(rig), type_(std::move(type)), wid_("worker-for-" + type_) {
        wire_ = connect(rig_.daemon().socket(), R"({"v":2,"jobq":1,"hostname":"chaos","pid":1,)"
                                                R"("labels":[],"slots":1,"wid":")" +
                                                    wid_ + "\"}");
        if (!wire_) throw std::runtime_error("jobqd does not take the worker " + wid_);
        wait();
    }

    const std::string& type() const { return type_; }

    // Whether it has got a job within so long; else it waits on, or again.
    bool got_job(int within_ms) {
        const int64_t end_us = monotonic_us() + int64_t(within_ms) * 1000;
        do {
            const int64_t left_us = std::max<int64_t>(0, end_us - monotonic_us());
            const std::string reply = wire_->reply(int(left_us / 1000));
            if (reply == "(silence)") return false;
            const json answer = json::parse(reply, nullptr, false);
            if (!answer.is_object()) throw std::runtime_error(wid_ + " was told " + reply);
            const auto& jobs = answer.at("jobs");
            if (!jobs.empty()) {
                run(jobs[0]);
                return true;
            }
            wait();
        } while (monotonic_us() < end_us);
        return false;
    }

  private:
    void wait() {
        const json order{
            {"queues", {"shared"}}, {"types", {type_}}, {"count", 1}, {"wait_ms", kWaitMs}};
        wire_->send("JOBQ TAKE " + order.dump() + "\r\n");
    }

    void run(const json& job) {
        Mark mark = start_of(job, wid_);
        if (job.at("type") != type_)
            rig_.found(FindingKind::told_wrong, mark.jid, wid_ + " was given another type");
        write_mark(rig_.witness_log(), mark);
        mark.kind = Mark::Kind::end_ok;
        mark.at_us = monotonic_us();
        write_mark(rig_.witness_log(), mark);
        const json one{{"jid", mark.jid}, {"token", mark.token}, {"outcome", "success"}};
        const json answer = wire_->ask_json("JOBQ DONE " + json{{"jobs", {one}}}.dump());
        if (answer.at("jobs")[0].at("ok") != true)
            rig_.found(FindingKind::told_wrong, mark.jid, "its end is not taken");
        wait();
    }

    Rig& rig_;
    const std::string type_, wid_;
    std::unique_ptr<test::Wire> wire_;
};

// The watchdog must have had nothing to do.
void check_watchdog(Rig& rig) {
    auto wire = connect(rig.daemon().socket(), R"({"v":2,"jobq":1})");
    const json stats = wire ? wire->ask_json("JOBQ STATS {}") : json::object();
    if (stats.at("watchdog_woke") != 0)
        rig.found(FindingKind::late, "", "the watchdog woke who should have been woken before");
}

Report two_kinds(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.traffic.producers = 1;
    setup.at_rest = check_watchdog;
    Rig rig(options, setup);
    directory = rig.directory();
    Specialist left(rig, "left"), right(rig, "right");
    bool late = false;
    rig.repeat(5, 60, [&] {
        if (late) return;
        Specialist& one = rig.below(2) ? left : right;
        Specialist& other = &one == &left ? right : left;
        if (other.got_job(0)) throw std::runtime_error("a job that nobody enqueued");
        const std::string jid = rig.history().fresh("typed-");
        JobSpec spec;
        spec.max_attempts = 1;
        if (!rig.enqueue(jid, "{}", spec, "shared", one.type())) return;
        const int64_t since_us = monotonic_us();
        while (!one.got_job(500) && monotonic_us() - since_us < kLostUs)
            if (monotonic_us() - since_us > kLateUs) late = true;
        if (late)
            rig.found(FindingKind::late, jid,
                      "a worker waited for it, and got it only after " +
                          std::to_string((monotonic_us() - since_us) / 1'000'000) + " s");
    });
    return rig.finish();
}

}  // namespace

std::vector<Scenario> wake_scenarios() {
    return {{"two_kinds", "35 workers of two types wait at one queue", "", true, two_kinds}};
}

}  // namespace jobq::chaos
