// Scenarios with many jobs, some hundred thousand of a run, and a fault as soon as the last one is
// over: what is rare must happen once. See flood.h.
#include <signal.h>

#include "tests/chaos/disk.h"
#include "tests/chaos/flood.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

constexpr int kUpWithinS = 60;

// Others beside the flood: exec jobs of the runner, and plain Faktory workers.
Setup flood_setup() {
    Setup setup;
    setup.toml = kFloodToml;
    setup.traffic.producers = 1;
    setup.traffic.per_second = 5;
    setup.traffic.consumers = 2;
    setup.drain_s = 180;
    return setup;
}

// Until the store answers through jobqd.
void wait_up(Rig& rig) {
    const auto answers = [&] {
        auto wire = connect(rig.daemon().socket(), R"({"v":2,"jobq":1})");
        return wire && wire->ask("JOBQ STATUS {\"jids\":[\"none\"]}").starts_with("{");
    };
    if (!test::eventually(answers, std::chrono::seconds(kUpWithinS)))
        rig.lacks("the store did not come back within " + std::to_string(kUpWithinS) + " s");
}

void kill_redis(Rig& rig) {
    const pid_t redis = rig.daemon().redis_pid();
    if (redis <= 0) return;
    Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
    kill(redis, SIGKILL);
    wait_up(rig);
    fault.until_us = monotonic_us();
    rig.note(fault, "redis_kill");
}

void kill_runner(Rig& rig) {
    const pid_t runner = rig.daemon().runner_pid();
    if (runner <= 0 || !test::is_alive(runner)) return;
    kill(runner, SIGKILL);
    rig.note_kill(runner);
}

// jobqd and its Redis in the same moment.
void kill_both(Rig& rig) {
    const pid_t redis = rig.daemon().redis_pid();
    if (redis > 0) kill(redis, SIGKILL);
    rig.kill_daemon();
}

void break_something(Rig& rig, Flood& flood) {
    flood.go_on();
    switch (rig.below(8)) {
        case 0:
        case 1:
            rig.kill_daemon();
            break;
        case 2:
            kill_redis(rig);
            break;
        case 3:
            kill_both(rig);
            break;
        case 4:
            flood.kill_worker();
            break;
        case 5:
            kill_runner(rig);
            break;
        case 6:
            flood.stop_worker(500 + rig.below(3'000));
            break;
        default:
            flood.stop_worker(rig.below(3) ? 2'000 : 18'000);
    }
    wait_up(rig);
}

Report judged(Rig& rig, Flood& flood) {
    flood.go_on(true);
    flood.stop_producing();
    return rig.finish();
}

Report flood(const RunOptions& options, std::string& directory) {
    Rig rig(options, flood_setup());
    directory = rig.directory();
    Flood flood(rig, {}, options.seed);
    rig.repeat(200, 1'000, [&] { break_something(rig, flood); });
    return judged(rig, flood);
}

Report flood_power_loss(const RunOptions& options, std::string& directory) {
    Disk disk("2G");
    Setup setup = flood_setup();
    setup.disk = disk.path();
    Rig rig(options, setup);
    directory = rig.directory();
    Flood flood(rig, {}, options.seed);
    rig.repeat(300, 2'000, [&] {
        rig.cut_power([&] { disk.cut_power(); });
        wait_up(rig);
    });
    return judged(rig, flood);
}

}  // namespace

std::vector<Scenario> flood_scenarios() {
    return {
        {"flood", "1 5 6 10 many jobs, and kills and stops of all kinds", "", false, flood},
        {"flood_power_loss", "14 power loss under many jobs", "root", false, flood_power_loss},
    };
}

}  // namespace jobq::chaos
