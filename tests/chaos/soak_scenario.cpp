// The soak: a fault of another kind every ten seconds for as long as is asked, half an hour say,
// and at the end nothing may have grown, be left over, or be found by `jobq doctor`.
#include <signal.h>

#include "tests/chaos/flood.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/vitals.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

constexpr int64_t kEveryMs = 10'000;  // or less, in a run that is short
// A finished job is kept for a day: of each that was enqueued Redis may have so much.
constexpr int64_t kKeptBytes = 450;

class Soak {
  public:
    explicit Soak(const RunOptions& options)
        : ends_us_(monotonic_us() + options.seconds * 1'000'000),
          third_us_(options.seconds * 1'000'000 / 3) {}

    // Who is measured; and then something breaks.
    void turn(Rig& rig, Flood& flood) {
        measure(rig);
        flood.go_on();
        // In the middle jobqd lives on, and must stay as it is under the faults of the others.
        const int64_t left_us = ends_us_ - monotonic_us();
        const bool spares_jobqd = left_us > third_us_ && left_us < 2 * third_us_;
        const int kind = rig.below(spares_jobqd ? 7 : 9);
        const std::string all;
        switch (kind) {
            case 0:
                rig.kill_redis();
                break;
            case 1:
                kill_runner(rig);
                break;
            case 2:
                kill_child(rig);
                break;
            case 3:
                flood.kill_worker();
                break;
            case 4:
                flood.stop_worker(3'000);
                break;
            case 5:
                rig.pause(rig.daemon().pid(), 2'000, &all);
                break;
            case 6:
                rig.pause(rig.daemon().redis_pid(), 1'000, nullptr);
                break;
            default:
                rig.kill_daemon();
        }
    }

    // While all is up and nothing is left to do.
    void look(Rig& rig) const {
        for (const pid_t parent : {rig.daemon().pid(), rig.daemon().runner_pid()})
            if (zombies_of(parent) > 0)
                rig.found(FindingKind::left_over, "", "a zombie of jobqd or the runner");
        // The witnesses of exec jobs have the log among their arguments.
        if (test::processes_with(rig.witness_log()) > 0)
            rig.found(FindingKind::left_over, "", "a process of a job");
        const test::Ran doctor = rig.daemon().jobq({"doctor", "--json"});
        if (doctor.status != 0 || doctor.out != "[]\n")
            rig.found(FindingKind::ill, "", doctor.out + doctor.err);
        const std::string growth =
            vitals_.growth() + vitals_.growth_at_rest("jobqd", vital_of(rig.daemon().pid())) +
            vitals_.growth_at_rest("runner", vital_of(rig.daemon().runner_pid()));
        if (!growth.empty()) rig.found(FindingKind::growth, "", growth);
    }

    const Vitals& vitals() const { return vitals_; }

  private:
    void measure(Rig& rig) {
        vitals_.add("jobqd", vital_of(rig.daemon().pid()));
        vitals_.add("runner", vital_of(rig.daemon().runner_pid()));
        Vital redis = vital_of(rig.daemon().redis_pid());
        redis.may_grow_kib = rig.history().acknowledged() * kKeptBytes / 1024;
        vitals_.add("redis", redis);
    }

    static void kill_runner(Rig& rig) {
        const pid_t runner = rig.daemon().runner_pid();
        if (runner <= 0 || !test::is_alive(runner)) return;
        kill(runner, SIGKILL);
        rig.note_kill(runner);
    }

    static void kill_child(Rig& rig) {
        const auto running = rig.running_now();
        if (running.empty()) return;
        const Mark& victim = running[size_t(rig.below(int(running.size())))];
        kill(victim.pid, SIGKILL);
        rig.note({Fault::Kind::kill, monotonic_us(), 0, victim.holder, victim.pid}, "child_kill");
    }

    const int64_t ends_us_, third_us_;
    Vitals vitals_;
};

Report soak(const RunOptions& options, std::string& directory) {
    Soak soak(options);
    Setup setup;
    setup.toml = kFloodToml;
    setup.traffic.per_second = 4;
    setup.traffic.consumers = 3;
    setup.drain_s = 180;
    setup.at_rest = [&](Rig& one) { soak.look(one); };
    Rig rig(options, setup);
    directory = rig.directory();
    FloodPlan plan;
    plan.producers = 1;
    plan.per_call = 10;
    plan.pause_ms = 250;
    plan.most = INT64_MAX;
    Flood flood(rig, plan, options.seed);
    const int every_ms = int(std::min(kEveryMs, options.seconds * 1000 / 4));
    rig.repeat(every_ms, every_ms, [&] { soak.turn(rig, flood); });
    flood.go_on(true);
    flood.stop_producing();
    Report report = rig.finish();
    report.measured = soak.vitals().told();
    return report;
}

}  // namespace

std::vector<Scenario> soak_scenario() {
    return {{"soak", "all a fault every ten seconds, and nothing grows", "", false, soak}};
}

}  // namespace jobq::chaos
