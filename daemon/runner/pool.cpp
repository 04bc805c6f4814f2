// The take loop; see pool.h.
// Must stay true: each job of an answer is started, or reported, before the next TAKE.
#include "daemon/runner/pool.h"

#include <algorithm>

namespace jobq {
namespace {

constexpr int64_t kTakeWaitMs = 15'000;  // new queues of a reload count after that at the latest
constexpr int64_t kAnswerMs = 10'000;    // beyond the wait
constexpr int kTakeAtOnce = 16;          // payloads of up to a megabyte each
constexpr int64_t kTryLaterMs = 1'000;   // when the system has no process to spare

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
      events_(events),
      spec_(std::move(spec)),
      client_(hub.reactor, parse_endpoint(hub.options.endpoint).value_or(Endpoint{}), hub.hello) {}

void Pool::retire() {
    retired_ = true;
    client_.close();
    hub_.changed.notify_all();
}

void Pool::not_started(const TakenJob& job, const Error& error) {
    RunReport report;
    report.outcome = Outcome::failure;
    report.error_type = "not started";
    if (error.code == ErrorCode::busy) {
        report.outcome = Outcome::snooze;
        report.snooze_ms = kTryLaterMs;
    }
    report.message = error.text;
    reporter_.add(job, std::move(report));
}

void Pool::accept(std::vector<TakenJob> jobs) {
    for (auto& job : jobs) {
        if (JobRun* old = runs_.find(job.jid, "")) {
            // jobqd gave it out again, so that run has lost its lease already.
            if (old->job().token == job.token) continue;
            old->kill(StopReason::lost);
        }
        if (hub_.stopping || hub_.closing) {
            RunReport report;
            report.outcome = Outcome::released;
            report.error_type = "released";
            report.message = "its runner stops";
            reporter_.add(job, std::move(report));
            continue;
        }
        start(std::move(job));
    }
}

// One TAKE; false when the next should wait a little.
task<bool> Pool::take() {
    if (!client_.connected()) {
        auto connected = co_await client_.connect();
        if (!connected) co_return false;
        if (!hub_.takes() || retired_) co_return true;
    }
    int count = std::min(free_slots(), kTakeAtOnce);
    if (count <= 0) co_return true;
    auto queues = queue_order(spec_, hub_.rng);
    auto line = format_take(spec_.name, queues, count, kTakeWaitMs);
    auto answer = co_await client_.call(std::move(line), kTakeWaitMs + kAnswerMs);
    if (!answer) co_return false;
    auto jobs = parse_taken(*answer);
    if (!jobs) {
        hub_.say(LogLevel::error, "runner.bad_job", jobs.error().text);
        co_return false;
    }
    accept(std::move(*jobs));
    co_return true;
}

task<void> Pool::loop() {
    while (!hub_.closing && !retired_) {
        if (!hub_.takes() || free_slots() <= 0) {
            auto wait = hub_.changed.wait(-1);
            co_await wait;
            continue;
        }
        bool fine = co_await take();
        if (fine) {
            delay_.reset();
        } else {
            int64_t ms = delay_.next_ms(hub_.rng);
            co_await hub_.pause(ms);
        }
    }
    client_.close();
    ended_ = true;
    hub_.changed.notify_all();
}

}  // namespace jobq
