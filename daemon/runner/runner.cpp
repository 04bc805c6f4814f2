// The runner as a whole: owns its parts, applies what POOLS says, and stops in order; see runner.h.
// Must stay true: run() ends only when every loop has left the gate.
#include "daemon/runner/runner.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "core/async/contain.h"
#include "core/async/gate.h"
#include "core/base/id.h"
#include "daemon/loop/orphans.h"
#include "daemon/loop/signals.h"
#include "daemon/runner/child_pool.h"
#include "daemon/runner/exec_pool.h"
#include "daemon/runner/heart.h"
#include "daemon/runner/room_watch.h"
#include "daemon/runner/runner_guard.h"

namespace jobq {
namespace {

constexpr int64_t kLastReportsMs = 2'000;  // at the stop, for jobqd to answer, at the least
constexpr int64_t kAfterKillMs = 2'500;    // for killed processes to be gone
constexpr int64_t kLookMs = 200;

class Runner {
  public:
    Runner(UvReactor& reactor, const RunnerOptions& options, RunnerGuard* guard, const Dial& dial);

    task<void> run();
    // A signal or a notice: finish and end. The second time: at once.
    void stop();

  private:
    void apply(const Assignment& assignment);
    void add_pool(const PoolSpec& spec);
    void ended(JobRun& run, RunReport report);
    void away();
    void forget_old_pools();
    task<void> finish_jobs();
    task<void> wait_empty(int64_t limit_ms);
    task<void> shut_down();
    Heart::Events heart_events();

    UvReactor& reactor_;
    Hub hub_;
    RunTable runs_;
    Reporter reporter_;
    RoomWatch rooms_;
    Heart heart_;
    JobRunEvents events_;
    std::vector<std::unique_ptr<Pool>> pools_;
    Gate gate_;
    bool hurry_ = false;
    int64_t stopped_ms_ = 0;  // when the stop began (monotonic)
};

Heart::Events Runner::heart_events() {
    return {[this](const Assignment& assignment) { apply(assignment); }, [this] { away(); },
            [this] {
                if (!hub_.stopping) stop();
            },
            [this] {
                if (hub_.stopping) return;
                hub_.say(LogLevel::info, "runner.alone",
                         "jobqd did not come back, and there is nothing left to do");
                stop();
            }};
}

Runner::Runner(UvReactor& reactor, const RunnerOptions& options, RunnerGuard* guard,
               const Dial& dial)
    : reactor_(reactor),
      hub_(reactor, options, guard, dial, random_u64()),
      runs_(reactor),
      reporter_(hub_, runs_),
      rooms_(hub_, runs_,
             [this](const std::vector<OutputRoom>& rooms) { reporter_.obey(rooms, {}); }),
      heart_(hub_, runs_, reporter_, heart_events()),
      events_{[this](JobRun& run) { reporter_.output_soon(run); },
              [this](JobRun& run, RunReport report) { ended(run, std::move(report)); }},
      gate_(reactor) {
    if (options.local) apply(*options.local);
}

void Runner::ended(JobRun& run, RunReport report) {
    if (hub_.options.on_end) hub_.options.on_end(run.job(), report);
    if (run.stop_reason() != StopReason::lost) reporter_.add(run, std::move(report));
    runs_.remove(run);
    hub_.changed.notify_all();
}

void Runner::add_pool(const PoolSpec& spec) {
    std::unique_ptr<Pool> pool;
    if (spec.kind == PoolKind::child) {
        pool = std::make_unique<ChildPool>(hub_, runs_, reporter_, events_, spec);
    } else {
        pool = std::make_unique<ExecPool>(hub_, runs_, reporter_, events_, spec);
    }
    gate_.keep([its = pool.get()] { return its->loop(); });
    gate_.keep([its = pool.get()] { return its->starter(); });
    pools_.push_back(std::move(pool));
}

// Running jobs go on under the rules they were started with.
void Runner::apply(const Assignment& assignment) {
    hub_.config = assignment.version;
    hub_.types = assignment.types;
    hub_.run_allowed = assignment.run_allowed;
    if (hub_.stopping) return;
    std::vector<PoolSpec> wanted = assignment.pools;
    for (auto& pool : pools_) {
        if (pool->retired()) continue;
        auto is_it = [&](const PoolSpec& spec) {
            return spec.name == pool->spec().name && spec.kind == pool->spec().kind;
        };
        auto found = std::find_if(wanted.begin(), wanted.end(), is_it);
        if (found == wanted.end()) {
            pool->retire();
            continue;
        }
        if (*found != pool->spec()) pool->update(*found);
        wanted.erase(found);
    }
    for (const auto& spec : wanted)
        add_pool(spec);
    hub_.changed.notify_all();
}

void Runner::forget_old_pools() {
    auto is_over = [](const auto& pool) { return pool->over(); };
    pools_.erase(std::remove_if(pools_.begin(), pools_.end(), is_over), pools_.end());
}

void Runner::away() {
    reporter_.close();
    rooms_.close();
    for (auto& pool : pools_)
        pool->close();
}

void Runner::stop() {
    if (hub_.stopping) hurry_ = true;
    if (!hub_.stopping) stopped_ms_ = reactor_.now_ms();
    hub_.stopping = true;
    hub_.changed.notify_all();
}

task<void> Runner::run() {
    gate_.keep([this] { return heart_.loop(); });
    gate_.keep([this] { return reporter_.loop(); });
    gate_.keep([this] { return rooms_.loop(); });
    while (!hub_.stopping) {
        auto wait = hub_.changed.wait(-1);
        co_await wait;
        forget_old_pools();
        bool had_all = hub_.left == 0 && runs_.empty() && hub_.backlog.empty();
        if (hub_.dry || had_all) hub_.stopping = true;
    }
    if (!runs_.empty())
        hub_.say(LogLevel::info, "runner.stopping",
                 "takes no more jobs, and exits when the running jobs have finished");
    for (auto& pool : pools_)
        pool->retire();
    co_await finish_jobs();
    co_await shut_down();
    reactor_.stop();
}

// Until nothing runs, or the time is over, or a second stop came.
task<void> Runner::wait_empty(int64_t limit_ms) {
    int64_t until = reactor_.now_ms() + limit_ms;
    while (!runs_.empty() && !hurry_ && reactor_.now_ms() < until) {
        auto wait = hub_.changed.wait(until - reactor_.now_ms());
        co_await wait;
    }
}

task<void> Runner::finish_jobs() {
    co_await wait_empty(hub_.options.stop_timeout_ms);
    if (runs_.empty()) co_return;
    hub_.say(LogLevel::info, "runner.stopping",
             "stopping the jobs that still run; they go back to their queues");
    if (!hurry_) {
        runs_.stop_all(StopReason::release);
        co_await wait_empty(runs_.longest_grace_ms() + kLookMs);
    }
    runs_.kill_all(StopReason::release);
    hurry_ = false;
    co_await wait_empty(kAfterKillMs);
}

task<void> Runner::shut_down() {
    // While the store refuses them, ends are offered for as long as jobs had to end: a job whose
    // end is not recorded runs again.
    if (stopped_ms_ == 0) stopped_ms_ = reactor_.now_ms();
    const int64_t least = reactor_.now_ms() + kLastReportsMs;
    int64_t until = std::max(least, stopped_ms_ + hub_.options.stop_timeout_ms);
    while (hub_.online && !reporter_.empty() && reactor_.now_ms() < (hurry_ ? least : until)) {
        auto wait = hub_.changed.wait(kLookMs);
        co_await wait;
    }
    if (!reporter_.empty())
        hub_.say(LogLevel::warn, "runner.ends_dropped",
                 "jobqd did not accept the ends of these jobs in time, so they will run again: " +
                     reporter_.names());
    bool met = hub_.online;
    hub_.closing = true;
    hub_.changed.notify_all();
    heart_.close();
    away();
    co_await gate_.close();
    if (met && hub_.options.local) co_await heart_.say_goodbye();
    until = reactor_.now_ms() + kAfterKillMs;
    forget_old_pools();
    while (!pools_.empty() && reactor_.now_ms() < until) {
        auto wait = hub_.changed.wait(kLookMs);
        co_await wait;
        forget_old_pools();
    }
}

std::string hostname_of(const RunnerOptions& options) {
    if (!options.hostname.empty()) return options.hostname;
    char name[256] = {};
    return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

int slots_of(const RunnerOptions& options) {
    int slots = 0;
    if (options.local)
        for (const auto& pool : options.local->pools)
            slots += pool.slots;
    return slots;
}

int refuse_options(const RunnerOptions& options, const std::string& why) {
    if (options.on_log) {
        options.on_log(LogLevel::error, "runner.refused", why);
    } else {
        log(LogLevel::error, "runner.refused", why);
        log_flush();
    }
    return info(ErrorCode::invalid).exit_status;
}

}  // namespace

int run_runner(const RunnerOptions& options) {
    auto endpoint = parse_endpoint(options.endpoint);
    if (!endpoint) return refuse_options(options, endpoint.error().text);
    if (options.name.empty()) return refuse_options(options, "a runner needs a --name");
    endpoint->own = options.own_daemon;
    Dial dial{*endpoint, {}, options.password, nullptr};
    if (endpoint->tls) {
        auto tls = TlsContext::for_client(options.ca_file);
        if (!tls) return refuse_options(options, tls.error().text);
        dial.tls = std::move(*tls);
    }
    on_escape([&options](const Escape& escape) {
        const std::string text = std::string(escape.part) + ", " + escape.context + ": " +
                                 escape.what +
                                 "; only the failed part was ended, please report this";
        if (options.on_log) {
            options.on_log(LogLevel::error, "error.contained", text);
        } else {
            log(LogLevel::error, "error.contained", text);
        }
    });
    // Before anything is opened that the guard should not hold.
    auto guard = RunnerGuard::start();
    adopt_orphans();
    UvReactor reactor;
    dial.hello.wid = options.name;
    dial.hello.hostname = hostname_of(options);
    dial.hello.pid = getpid();
    dial.hello.slots = slots_of(options);
    dial.hello.labels = {dial.hello.slots > 0 ? "work" : "runner"};
    Runner runner(reactor, options, guard.get(), dial);
    auto stop = [&] { runner.stop(); };
    std::vector<std::unique_ptr<SignalWatch>> signals;
    for (int number : {SIGTERM, SIGINT, SIGHUP})
        signals.push_back(on_signal(reactor, number, stop));
    spawn(runner.run());
    reactor.run();
    ignore_from_now(std::move(signals));
    on_escape({});
    return 0;
}

}  // namespace jobq
