#include "daemon/chores/watchdog.h"

#include "core/base/time.h"
#include "core/json/writer.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kLookAfterMs = 3'000;  // after something stirred
constexpr int64_t kStalledMs = 2'500;    // ready and waited for, both for longer than this
constexpr int64_t kTakenMs = 500;        // who was woken takes them within this

}  // namespace

Watchdog::Watchdog(Reactor& reactor, Broker& broker, Counters& counters)
    : reactor_(reactor), broker_(broker), counters_(counters), stop_(reactor), gate_(reactor) {
    gate_.keep([this] { return watch(); });
}

// Each stir is followed by a look that begins kLookAfterMs later or more: by then a job that came
// with it, and a worker that missed it, have waited for longer than kStalledMs.
task<void> Watchdog::watch() {
    uint64_t seen = 0;
    while (!stopping_) {
        if (broker_.wakeups().stirs() == seen) {
            auto stirred = broker_.wakeups().stirred.wait(-1);
            co_await stirred;
        }
        bool again = true;
        while (again && !stopping_) {
            seen = broker_.wakeups().stirs();
            auto pause = stop_.wait(kLookAfterMs);
            co_await pause;
            if (stopping_) break;
            again = co_await look();
        }
    }
}

task<void> Watchdog::stop() {
    stopping_ = true;
    stop_.notify_all();
    broker_.wakeups().stir();
    auto left = gate_.close();
    co_await left;
}

// Its slots are free only when one of them is, which is news.
bool Watchdog::may_be_throttled(const std::string& queue) const {
    if (!broker_.config().queues.count(queue)) return false;
    for (const auto& [jid, running] : broker_.running().all())
        if (running.job.queue == queue) return true;
    return false;
}

bool Watchdog::has_candidate(const std::vector<QueueInfo>& queues) const {
    const int64_t since = reactor_.now_ms() - kStalledMs;
    for (const auto& queue : queues)
        if (queue.size > 0 && !queue.paused &&
            broker_.waiters().has_waited_since(queue.name, "", since))
            return true;
    return false;
}

// `young`: there is one that has not been ready for long enough to tell.
std::vector<Watchdog::Stalled> Watchdog::stalled(const std::vector<QueueInfo>& queues,
                                                 bool* young) {
    std::vector<Stalled> found;
    const int64_t now = reactor_.wall_ms(), since = reactor_.now_ms() - kStalledMs;
    for (const auto& queue : queues) {
        if (queue.size <= 0 || queue.paused || queue.oldest_ms == 0) continue;
        if (!broker_.waiters().has_waited_since(queue.name, queue.next_type, since)) continue;
        auto vain = in_vain_.find(queue.name);
        if (vain != in_vain_.end() && vain->second == queue.oldest_ms) continue;
        const int64_t age = queue.age_ms(now);
        *young = *young || age < kStalledMs;
        if (age < kStalledMs || may_be_throttled(queue.name)) continue;
        found.push_back({queue.name, queue.next_type, queue.size, age, queue.oldest_ms});
    }
    return found;
}

task<bool> Watchdog::look() {
    if (broker_.storage().status().starts_nothing) co_return false;
    // Other queues are nobody's business here, however many there are.
    QueueRequest waited_for;
    waited_for.names = broker_.waiters().waited_for_since(reactor_.now_ms() - kStalledMs);
    if (waited_for.names.empty()) co_return false;
    bool young = false;
    std::vector<Stalled> found;
    auto queues = co_await broker_.store().queue_page(waited_for);
    // The ages cost more to ask for, and mostly nothing is ready where somebody waits.
    waited_for.latency = true;
    if (queues && has_candidate(queues->queues))
        queues = co_await broker_.store().queue_page(waited_for);
    if (queues) found = stalled(queues->queues, &young);
    if (!found.empty() && !stopping_) {
        broker_.dispatch().count_taken(reactor_.wall_ms() - kStalledMs);
        for (const auto& one : found)
            broker_.waiters().alarm(one.queue, one.type, int(std::min<int64_t>(one.ready, 10'000)));
        auto taken = stop_.wait(kTakenMs);
        co_await taken;
        for (const auto& one : found)
            tell(one, broker_.dispatch().taken_from(one.queue));
        broker_.dispatch().count_taken(0);
    }
    co_return young || !queues || !found.empty();
}

void Watchdog::tell(const Stalled& one, int taken) {
    if (taken == 0) {
        in_vain_[one.queue] = one.oldest_ms;  // somebody else took them just now, for instance
        return;
    }
    in_vain_.erase(one.queue);
    ++counters_.watchdog_woke;
    const std::string text =
        "the watchdog woke a worker that waited beside ready jobs; this is a bug, please report it "
        "with the preceding log lines";
    log(LogLevel::error, "watchdog.woke", text,
        {{"queue", one.queue}, {"ready", one.ready}, {"oldest_ms", one.age_ms}});
    JsonWriter json;
    json.begin_object().field("time", format_rfc3339(reactor_.wall_ms()));
    json.field("event", "watchdog").field("queue", one.queue).field("ready", one.ready);
    json.field("oldest_ms", one.age_ms).end_object();
    broker_.events().publish({"watchdog", json.take(), one.queue, ""});
}

}  // namespace jobq
