// The take loop; see pool.h.
// Must stay true: each job of an answer is started, reported or in the backlog before the next
// TAKE; what is in the backlog is started or given back within kStaleMs.
#include "daemon/runner/pool.h"

#include <algorithm>
#include <chrono>

namespace jobq {
namespace {

constexpr int64_t kTakeWaitMs = 15'000;  // jobqd ends it before at a reload
constexpr int64_t kAnswerMs = 10'000;    // beyond the wait
constexpr int64_t kBurstWaitMs = 200;    // while jobs run that may bring more
constexpr int kTakeAtOnce = 16;          // payloads of up to a megabyte each
constexpr int64_t kTryLaterMs = 1'000;   // when the system has no process to spare
constexpr int kAheadMost = 32;
constexpr int64_t kTakesAhead = 16;      // a take brings what starts during so many takes
constexpr int64_t kStaleMs = 250;        // other workers may have a slot
constexpr int64_t kTakeMostUs = 20'000;  // longer ones waited for a job
constexpr int64_t kJobMostUs = 60'000'000;

// As shells have it: 127 no such program, 126 one that can't be executed. None where there was no
// command to begin with.
std::optional<int> exit_code_of(ErrorCode code) {
    if (code == ErrorCode::not_found) return 127;
    if (code == ErrorCode::bad_data || code == ErrorCode::internal) return std::nullopt;
    return 126;
}

int64_t monotonic_us() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

int64_t average(int64_t before, int64_t sample) {
    return (before * 15 + sample) / 16;
}

}  // namespace

std::vector<std::string> queue_order(const PoolSpec& pool, Rng& rng) {
    std::vector<QueueWeight> left = pool.queues;
    std::vector<std::string> order;
    while (!left.empty()) {
        size_t pick = 0;
        if (!pool.strict) {
            uint64_t sum = 0;
            for (const auto& queue : left)
                sum += uint64_t(std::max(1, queue.weight));
            uint64_t at = rng.below(sum);
            while (at >= uint64_t(std::max(1, left[pick].weight)))
                at -= uint64_t(std::max(1, left[pick++].weight));
        }
        order.push_back(left[pick].name);
        left.erase(left.begin() + int64_t(pick));
    }
    return order;
}

Pool::Pool(Hub& hub, RunTable& runs, Reporter& reporter, JobRunEvents& events, PoolSpec spec)
    : hub_(hub),
      runs_(runs),
      reporter_(reporter),
      events_{events.on_output,
              [this, &events](JobRun& run, RunReport report) {
                  int64_t us = (report.ended_ms - report.started_ms) * 1'000 + 500;
                  job_us_ = average(job_us_, std::clamp<int64_t>(us, 500, kJobMostUs));
                  waits_for_end_ = false;
                  events.on_end(run, std::move(report));
              }},
      spec_(std::move(spec)),
      client_(hub.reactor, hub.dial) {}

void Pool::retire() {
    retired_ = true;
    client_.close();
    hub_.changed.notify_all();
}

void Pool::not_started(const TakenJob& job, const Error& error) {
    RunReport report;
    report.outcome = Outcome::failure;
    report.error_type = kNotStarted;
    if (error.code == ErrorCode::busy) {
        report.outcome = Outcome::snooze;
        report.snooze_ms = kTryLaterMs;
    } else {
        report.exit_code = exit_code_of(error.code);
    }
    // It is the job that can't be started, wherever and whenever.
    if (error.code == ErrorCode::bad_data || error.code == ErrorCode::too_large)
        report.outcome = Outcome::dead;
    report.message = error.text;
    if (hub_.options.on_end) hub_.options.on_end(job, report);
    reporter_.add(job, std::move(report));
}

void Pool::give_back(std::vector<TakenJob> jobs, const std::string& why) {
    for (const auto& job : jobs) {
        RunReport report;
        report.outcome = Outcome::released;
        report.error_type = "released";
        report.message = why;
        reporter_.add(job, std::move(report));
    }
}

void Pool::accept(std::vector<TakenJob> jobs) {
    for (auto& job : jobs) {
        if (JobRun* old = runs_.find(job.jid, "")) {
            // jobqd gave it out again, so that run has lost its lease already.
            if (old->job().token == job.token) continue;
            old->kill(StopReason::lost);
        }
        hub_.backlog.remove(job.jid, "");  // likewise
        hub_.backlog.push(spec_.name, std::move(job), hub_.reactor.now_ms(),
                          hub_.reactor.wall_ms());
    }
    start_waiting();
    if (hub_.backlog.count(spec_.name) > 0) hub_.changed.notify_all();  // starter() looks in time
}

void Pool::start_waiting() {
    if (hub_.stopping || hub_.closing || retired_) {
        give_back(hub_.backlog.take_stale(spec_.name, INT64_MAX),
                  "its runner or pool is shutting down");
        return;
    }
    while (free_slots() > 0) {
        auto job = hub_.backlog.pop(spec_.name);
        if (!job) return;
        start(std::move(*job));
    }
    // What an answer on its way brings comes behind these in the queue: they go back together. A
    // take that is older found the queue empty.
    const int64_t stale_ms = hub_.reactor.now_ms() - kStaleMs;
    if (asked_ms_ && *asked_ms_ > stale_ms) return;
    auto stale = hub_.backlog.take_stale(spec_.name, stale_ms);
    waits_for_end_ = waits_for_end_ || !stale.empty();
    give_back(std::move(stale), "its pool has no slot free");
}

int Pool::wanted() const {
    if (reporter_.gives_back()) return 0;
    int free = std::max(free_slots(), 0);
    int64_t during_takes = kTakesAhead * spec_.slots * take_us_ / std::max<int64_t>(job_us_, 1);
    int ahead = waits_for_end_ ? 0 : int(std::clamp<int64_t>(during_takes, 0, kAheadMost));
    // With a limit, what is taken is also run: nothing is taken that would have to go back.
    if (hub_.left >= 0) {
        int64_t room = std::max(free - hub_.backlog.count(spec_.name), 0);
        return int(std::min(room, hub_.left));
    }
    int missing = free + ahead - hub_.backlog.count(spec_.name);
    return missing > ahead / 2 ? missing : 0;
}

// One TAKE; false when the next should wait a little.
task<bool> Pool::take() {
    if (!client_.connected()) {
        auto connected = co_await client_.connect();
        if (!connected) co_return false;
        if (!hub_.takes() || retired_) co_return true;
    }
    int count = std::min(wanted(), kTakeAtOnce);
    if (count <= 0) co_return true;
    bool idle = runs_.empty() && hub_.backlog.empty();
    int64_t burst_wait = idle ? 0 : kBurstWaitMs;
    TakeRequest request;
    request.pool = spec_.name;
    request.queues = queue_order(spec_, hub_.rng);
    request.types = spec_.types;
    request.config = hub_.config;
    request.count = count;
    request.wait_ms = hub_.options.burst ? burst_wait : kTakeWaitMs;
    auto line = request_line("TAKE", write(request));
    int64_t began = monotonic_us();
    asked_ms_ = hub_.reactor.now_ms();
    auto answer = co_await client_.call(std::move(line), request.wait_ms + kAnswerMs);
    asked_ms_.reset();
    if (!answer) co_return false;
    int64_t took = monotonic_us() - began;
    if (took < kTakeMostUs) take_us_ = average(take_us_, took);
    auto taken = read_taken(*answer);
    if (!taken) {
        hub_.say(LogLevel::error, "runner.bad_job", taken.error().text);
        co_return false;
    }
    if (hub_.left > 0) hub_.left -= std::min<int64_t>(hub_.left, int64_t(taken->size()));
    if (hub_.options.burst && idle && taken->empty()) {
        hub_.dry = true;
        hub_.changed.notify_all();
    }
    accept(std::move(*taken));
    co_return true;
}

task<void> Pool::loop() {
    while (!hub_.closing && !retired_) {
        if (!hub_.takes() || hub_.dry || wanted() <= 0) {
            auto wait = hub_.changed.wait(-1);
            co_await wait;
            continue;
        }
        bool fine = co_await take();
        if (fine) {
            delay_.reset();
        } else {
            co_await hub_.back_off(&delay_);
        }
    }
    client_.close();
    leave_loop();
}

task<void> Pool::starter() {
    while (!hub_.closing && !retired_) {
        start_waiting();
        int64_t look_again_ms = hub_.backlog.count(spec_.name) > 0 ? kStaleMs : -1;
        auto wait = hub_.changed.wait(look_again_ms);
        co_await wait;
    }
    start_waiting();
    leave_loop();
}

void Pool::leave_loop() {
    --loops_;
    hub_.changed.notify_all();
}

}  // namespace jobq
