// Scenarios that kill, stop and end processes: jobqd, its runner, its Redis, jobs, workers.
#include <signal.h>

#include "tests/chaos/paths.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/live/worker_process.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

constexpr int64_t kRunnerBackUs = 5'000'000;

std::string holder_of(pid_t pid) {
    return std::to_string(pid);
}

// A rig with ordinary traffic, `trouble` again and again, and the verdict.
template <class Trouble>
Report with_trouble(const RunOptions& options, std::string& directory, int min_ms, int max_ms,
                    Trouble trouble) {
    Rig rig(options, {});
    directory = rig.directory();
    rig.repeat(min_ms, max_ms, [&] { trouble(rig); });
    return rig.finish();
}

Report none(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 1'000, 1'000, [](Rig&) {});
}

Report jobqd_kill(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 300, 4'000, [](Rig& rig) { rig.kill_daemon(); });
}

// Mostly within the lease, one time in three beyond it: then all leases may be lost.
Report jobqd_stop(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 500, 3'000, [](Rig& rig) {
        const std::string all;
        rig.pause(rig.daemon().pid(), rig.below(3) ? 1'000 + rig.below(4'000) : 18'000, &all);
    });
}

Report jobqd_term(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 500, 4'000, [](Rig& rig) {
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        rig.daemon().stop();
        rig.daemon().start();
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
}

// Its end is seen at once: what it ran does not wait for a lease.
Report runner_kill(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 1'500, 4'000, [](Rig& rig) {
        rig.bounds().again_us = kRunnerBackUs;
        const pid_t runner = rig.daemon().runner_pid();
        // Mostly while it runs something.
        test::eventually([&] { return !rig.running_now().empty(); }, std::chrono::seconds(1));
        if (runner <= 0 || !test::is_alive(runner)) return;
        ::kill(runner, SIGKILL);
        rig.note_kill(runner);
    });
}

Report runner_stop(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 500, 3'000, [](Rig& rig) {
        const pid_t runner = rig.daemon().runner_pid();
        const std::string holder = holder_of(runner);
        if (test::is_alive(runner))
            rig.pause(runner, rig.below(3) ? 1'000 + rig.below(4'000) : 18'000, &holder);
    });
}

// Jobs that kill the runner, one after the other, among others that do nothing wrong: those must
// not die of it.
Report poison(const RunOptions& options, std::string& directory) {
    Rig rig(options, {});
    directory = rig.directory();
    rig.repeat(500, 2'000, [&] {
        JobSpec spec;
        spec.poison = true;
        const std::string jid = rig.history().fresh("poison-");
        rig.enqueue(jid, R"({"do":"kill_parent"})", spec, "local");
        const std::vector<std::string> dead{"dead"};
        test::eventually([&] { return rig.daemon().states({jid}) == dead; },
                         std::chrono::seconds(40));
    });
    return rig.finish();
}

// `jobq work` instead of Faktory workers; killed, it comes back.
Report worker_kill(const RunOptions& options, std::string& directory) {
    Setup setup;
    setup.traffic.consumers = 0;
    Rig rig(options, setup);
    directory = rig.directory();
    const auto worker = [&] {
        return std::make_unique<test::WorkerProcess>(
            rig.daemon(), std::vector<std::string>{"remote", "--slots", "4", "--", kWitnessJob,
                                                   rig.witness_log()});
    };
    auto one = worker();
    one->is_ready();
    rig.repeat(2'000, 6'000, [&] {
        one->signal(SIGKILL);
        rig.note_kill(one->pid());
        one->wait_end();
        one = worker();
        one->is_ready();
    });
    return rig.finish();
}

Report redis_kill(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 300, 4'000, [](Rig& rig) { rig.kill_redis(); });
}

Report redis_stop(const RunOptions& options, std::string& directory) {
    return with_trouble(options, directory, 500, 3'000, [](Rig& rig) {
        const pid_t redis = rig.daemon().redis_pid();
        if (redis > 0) rig.pause(redis, 500 + rig.below(7'000), nullptr);
    });
}

}  // namespace

std::vector<Scenario> process_scenarios() {
    return {
        {"none", "no fault: exactly one run each", "", true, none},
        {"jobqd_kill", "1 jobqd SIGKILL", "", true, jobqd_kill},
        {"jobqd_stop", "2 jobqd SIGSTOP, also beyond the lease", "", false, jobqd_stop},
        {"jobqd_term", "3 jobqd SIGTERM under load", "", false, jobqd_term},
        {"runner_kill", "5 runner SIGKILL", "", true, runner_kill},
        {"runner_stop", "6 runner SIGSTOP, also beyond the lease", "", false, runner_stop},
        {"poison", "7 jobs that kill their runner", "", true, poison},
        {"worker_kill", "5 jobq work SIGKILL", "", false, worker_kill},
        {"redis_kill", "10 Redis SIGKILL", "", true, redis_kill},
        {"redis_stop", "11 Redis SIGSTOP, also beyond the deadline", "", false, redis_stop},
    };
}

const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all = [] {
        auto list = process_scenarios();
        for (const auto& more :
             {lease_scenarios(), storage_scenarios(), world_scenarios(), daemon_scenarios(),
              redis_scenarios(), job_scenarios(), damage_scenarios(), syscall_scenarios(),
              time_scenarios(), flood_scenarios(), soak_scenario(), wake_scenarios(),
              cut_scenarios()})
            list.insert(list.end(), more.begin(), more.end());
        return list;
    }();
    return all;
}

}  // namespace jobq::chaos
