// Heartbeat and lease; see heart.h.
// Must stay true: the lease counts from when a heartbeat was sent, not from when it was answered.
#include "daemon/runner/heart.h"

#include <algorithm>

namespace jobq {
namespace {

constexpr int64_t kBeyondWaitMs = 5'000;  // beyond the wait
constexpr int64_t kGoodbyeMs = 1'000;
// Shares of the lease: TERM, then KILL; what is left is for the processes to die.
constexpr double kTermAt = 0.7, kKillAt = 0.9;

}  // namespace

Heart::Heart(Hub& hub, RunTable& runs, Reporter& reporter, Events events)
    : hub_(hub),
      runs_(runs),
      reporter_(reporter),
      events_(std::move(events)),
      client_(hub.reactor, hub.dial),
      renewed_ms_(hub.reactor.now_ms()),
      away_since_ms_(renewed_ms_) {}

Heart::~Heart() {
    hub_.reactor.cancel(lease_timer_);
}

std::vector<RunningJob> Heart::running() const {
    std::vector<RunningJob> list;
    runs_.each([&](JobRun& run) {
        if (run.stop_reason() == StopReason::lost) return;
        list.push_back({run.job().jid, run.job().token, run.started_ms()});
    });
    hub_.backlog.list_running(list);
    reporter_.list_running(list);
    return list;
}

void Heart::arm_lease() {
    hub_.reactor.cancel(lease_timer_);
    auto term_ms = int64_t(double(hub_.options.lease_ms) * kTermAt);
    int64_t left = std::max<int64_t>(0, renewed_ms_ + term_ms - hub_.reactor.now_ms());
    lease_timer_ = hub_.reactor.after(left, [this] { lease_ending(); });
}

void Heart::lease_ending() {
    lease_timer_ = 0;
    if (runs_.empty()) return;
    int64_t age = hub_.reactor.now_ms() - renewed_ms_;
    auto kill_ms = int64_t(double(hub_.options.lease_ms) * kKillAt);
    if (age >= kill_ms) {
        hub_.say(LogLevel::warn, "runner.lease_over",
                 "jobqd did not renew the lease; the jobs are killed and will run again");
        runs_.kill_all(StopReason::release);
        return;
    }
    hub_.say(LogLevel::warn, "runner.lease_ending",
             "jobqd can't be reached to renew the lease; the jobs are stopped and will run again");
    runs_.stop_all(StopReason::release);
    lease_timer_ = hub_.reactor.after(kill_ms - age, [this] { lease_ending(); });
}

void Heart::go_away(const std::string& why) {
    client_.close();
    if (hub_.online) {
        hub_.online = false;
        away_since_ms_ = hub_.reactor.now_ms();
        if (!hub_.closing)
            hub_.say(LogLevel::warn, "runner.away", "lost the connection to jobqd: " + why);
        events_.on_away();
        hub_.changed.notify_all();
    } else if (reached_error_ != why && !hub_.closing) {
        reached_error_ = why;
        hub_.say(LogLevel::warn, "runner.no_daemon", "can't connect to jobqd: " + why);
    }
    int64_t limit = hub_.options.exit_when_gone_ms;
    bool gone = limit >= 0 && hub_.reactor.now_ms() - away_since_ms_ >= limit;
    if (gone && runs_.empty()) events_.on_gone();
}

void Heart::lose(const std::string& jid, const std::vector<RunningJob>& asked) {
    for (const auto& job : asked) {
        // By the token that was asked about: the job may have come back to us meanwhile.
        if (job.jid != jid) continue;
        reporter_.forget(jid, job.token);
        hub_.backlog.remove(jid, job.token);
        JobRun* run = runs_.find(jid, job.token);
        if (run == nullptr) continue;
        hub_.say(LogLevel::warn, "runner.lease_lost",
                 "job " + jid + " no longer belongs to this runner and is killed");
        run->kill(StopReason::lost);
    }
}

void Heart::obey(const Notices& notices, const std::vector<RunningJob>& asked) {
    for (const auto& jid : notices.lost)
        lose(jid, asked);
    for (const auto& jid : notices.cancel) {
        runs_.each([&](JobRun& run) {
            if (run.job().jid == jid) run.stop(StopReason::cancel);
        });
        if (auto waiting = hub_.backlog.remove(jid, "")) {
            RunReport report;
            report.outcome = Outcome::cancelled;
            report.error_type = "cancelled";
            report.message = "cancelled before it started";
            reporter_.add(*waiting, std::move(report));
        }
    }
    bool quiet = notices.state != WorkerState::running;
    if (quiet != hub_.told_quiet) {
        hub_.told_quiet = quiet;
        hub_.changed.notify_all();
    }
    if (notices.state == WorkerState::terminate) events_.on_terminate();
}

task<bool> Heart::ask_pools() {
    PoolsRequest request;
    request.runner = hub_.options.name;
    auto line = request_line("POOLS", write(request));
    auto answer = co_await client_.call(std::move(line), kBeyondWaitMs);
    if (!answer) co_return false;
    auto assignment = read_assignment(*answer);
    if (!assignment) {
        hub_.say(LogLevel::error, "runner.no_pools", assignment.error().text);
        co_return false;
    }
    assigned_ = true;
    events_.on_assignment(*assignment);
    co_return true;
}

// One heartbeat; false when the connection, or the answer, is no good.
task<bool> Heart::beat() {
    HeartbeatRequest request;
    request.running = running();
    request.wait_ms = hub_.online ? hub_.options.beat_wait_ms : 0;
    if (hub_.stopping || hub_.told_quiet) request.state = BeatState::quiet;
    int64_t sent_ms = hub_.reactor.now_ms();
    auto line = request_line("HEARTBEAT", write(request));
    auto answer = co_await client_.call(std::move(line), request.wait_ms + kBeyondWaitMs);
    if (!answer) {
        if (client_.connected()) {
            hub_.say(LogLevel::warn, "runner.not_renewed",
                     "jobqd refused a heartbeat: " + answer.error().text);
            co_return false;
        }
        go_away(answer.error().text);
        co_return false;
    }
    auto notices = read_notices(*answer);
    if (!notices) {
        go_away(notices.error().text);
        co_return false;
    }
    renewed_ms_ = sent_ms;
    arm_lease();
    obey(*notices, request.running);
    bool asks = !hub_.options.local && (!assigned_ || notices->config != hub_.config);
    if (asks) {
        bool got = co_await ask_pools();
        if (!got) co_return false;
    }
    co_return true;
}

task<bool> Heart::reach() {
    auto connected = co_await client_.connect();
    if (!connected) {
        go_away(connected.error().text);
        co_return false;
    }
    co_return true;
}

task<void> Heart::say_goodbye() {
    auto connected = co_await client_.connect();
    if (!connected) co_return;
    HeartbeatRequest request;
    request.state = BeatState::ended;
    auto line = request_line("HEARTBEAT", write(request));
    auto answer = co_await client_.call(std::move(line), kGoodbyeMs);
    client_.close();
}

task<void> Heart::loop() {
    while (!hub_.closing) {
        bool fine = client_.connected();
        if (!fine) {
            if (hub_.online) go_away("the connection ended");
            fine = co_await reach();
        }
        if (fine) fine = co_await beat();
        if (!fine) {
            co_await hub_.back_off(&delay_);
            continue;
        }
        delay_.reset();
        if (hub_.online) continue;
        hub_.online = true;
        reached_error_.clear();
        hub_.say(LogLevel::info, "runner.online", "takes jobs from " + hub_.options.endpoint);
        hub_.changed.notify_all();
    }
    client_.close();
}

}  // namespace jobq
