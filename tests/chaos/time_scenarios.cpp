// Scenarios that measure how long it takes until all goes on after a kill: jobs whose process was
// killed, Redis, jobqd. The times are kept as figures beside the verdict.
#include <signal.h>

#include <algorithm>
#include <cmath>

#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

constexpr int kParked = 10'000;
constexpr int64_t kAgainUs = 1'000'000;  // p99 of a job's second start
constexpr size_t kEnoughToJudge = 100;

double share_ms(std::vector<int64_t> us, double share) {
    std::sort(us.begin(), us.end());
    const auto rank = size_t(std::ceil(share * double(us.size())));
    return us.empty() ? 0 : double(us[std::max<size_t>(rank, 1) - 1]) / 1000;
}

void add_figures(Rig& rig, const std::string& name, const std::vector<int64_t>& us) {
    rig.figure(name + "_count", double(us.size()));
    rig.figure(name + "_p50_ms", share_ms(us, 0.5));
    rig.figure(name + "_p99_ms", share_ms(us, 0.99));
    rig.figure(name + "_most_ms", share_ms(us, 1));
}

// From each kill to the job's next start, by the witness. A job that had ended by then has none.
std::vector<int64_t> second_starts(Rig& rig, const std::vector<Mark>& killed) {
    std::map<std::string, std::vector<int64_t>> starts;
    for (const auto& mark : read_marks(rig.witness_log()))
        if (mark.kind == Mark::Kind::start) starts[mark.jid].push_back(mark.at_us);
    std::vector<int64_t> took;
    for (const auto& victim : killed) {
        const auto& all = starts[victim.jid];
        const auto next = std::upper_bound(all.begin(), all.end(), victim.at_us);
        if (next != all.end()) took.push_back(*next - victim.at_us);
    }
    return took;
}

// One at a time, while it runs; the next when that has begun again.
Report child_kill(const RunOptions& options, std::string& directory) {
    std::vector<Mark> killed;
    Setup setup;
    setup.at_rest = [&killed](Rig& rig) {
        const auto took = second_starts(rig, killed);
        add_figures(rig, "again", took);
        if (took.size() >= kEnoughToJudge && share_ms(took, 0.99) * 1000 > double(kAgainUs))
            rig.found(FindingKind::late, "", "killed jobs start again later than in a second");
    };
    Rig rig(options, setup);
    directory = rig.directory();
    rig.repeat(100, 400, [&] {
        const auto running = rig.running_now();
        if (running.empty()) return;
        Mark victim = running[size_t(rig.below(int(running.size())))];
        victim.at_us = monotonic_us();
        ::kill(victim.pid, SIGKILL);
        rig.note({Fault::Kind::kill, victim.at_us, 0, victim.holder, victim.pid});
        killed.push_back(victim);
    });
    return rig.finish();
}

// Jobs that nobody takes, as a store that is in use has them.
void park(Rig& rig) {
    std::string lines;
    for (int i = 0; i < kParked; ++i)
        lines += R"({"type":"chaos","queue":"parked","payload":{"do":"ok","n":)" +
                 std::to_string(i) + "}}\n";
    rig.daemon().must({"enqueue", "--jsonl", "-", "-q"}, lines);
}

// Until a job is acknowledged again, asked on new connections all the time.
int64_t until_enqueued(Rig& rig, int64_t since_us) {
    const auto taken = [&] {
        return rig.enqueue(rig.history().fresh("probe-"), R"({"do":"ok"})", {}, "local");
    };
    test::eventually(taken, std::chrono::seconds(30));
    return monotonic_us() - since_us;
}

// In turn: a jobqd that was started anew waits the shortest time before it starts Redis again. One
// that has seen Redis end again and again within seconds waits longer each time, up to one second.
Report up_again(const RunOptions& options, std::string& directory) {
    Rig rig(options, {});
    directory = rig.directory();
    park(rig);
    std::vector<int64_t> redis_us, daemon_us;
    rig.repeat(200, 800, [&] {
        const int64_t began = monotonic_us();
        if (rig.daemon().redis_pid() > 0 && redis_us.size() <= daemon_us.size()) {
            rig.kill_redis();
            redis_us.push_back(until_enqueued(rig, began));
            return;
        }
        Fault fault{Fault::Kind::trouble, began, 0, "", 0};
        rig.daemon().kill();
        rig.daemon().start();
        daemon_us.push_back(until_enqueued(rig, began));
        fault.until_us = monotonic_us();
        rig.note(fault);
    });
    add_figures(rig, "redis_killed_enqueue_works", redis_us);
    add_figures(rig, "jobqd_killed_serving", daemon_us);
    rig.daemon().must({"queue", "clear", "parked", "--yes"});
    return rig.finish();
}

}  // namespace

std::vector<Scenario> time_scenarios() {
    return {
        {"child_kill", "5 job SIGKILL, and when it starts again", "", false, child_kill},
        {"up_again", "10 1 Redis and jobqd SIGKILL with 10,000 jobs: until all works", "", false,
         up_again},
    };
}

}  // namespace jobq::chaos
