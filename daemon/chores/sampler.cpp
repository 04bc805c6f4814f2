#include "daemon/chores/sampler.h"

#include <algorithm>

namespace jobq {
namespace {

constexpr int64_t kPauseMs = 1'000;

bool is_of_note(const QueueInfo& queue) {
    return queue.size > 0 || queue.paused;
}

// The bigger ones stay when there are too many.
void keep_most(std::vector<QueueInfo>& queues) {
    if (queues.size() > Sampler::kQueues) {
        std::partial_sort(queues.begin(), queues.begin() + std::ptrdiff_t(Sampler::kQueues),
                          queues.end(),
                          [](const QueueInfo& a, const QueueInfo& b) { return a.size > b.size; });
        queues.resize(Sampler::kQueues);
    }
    std::sort(queues.begin(), queues.end(),
              [](const QueueInfo& a, const QueueInfo& b) { return a.name < b.name; });
}

}  // namespace

Sampler::Sampler(Reactor& reactor, Broker& broker)
    : reactor_(reactor), broker_(broker), wanted_(reactor), gate_(reactor) {}

void Sampler::start() {
    wanted_until_ms_ = reactor_.now_ms() + 1;
    gate_.keep([this] { return run(); });
}

task<void> Sampler::stop() {
    stopping_ = true;
    wanted_.notify_all();
    co_await gate_.close();
}

const StoreSample& Sampler::look() {
    bool slept = reactor_.now_ms() >= wanted_until_ms_;
    wanted_until_ms_ = reactor_.now_ms() + kWantedMs;
    if (slept) wanted_.notify_all();
    return last_;
}

task<void> Sampler::run() {
    while (!stopping_) {
        if (reactor_.now_ms() < wanted_until_ms_) co_await take();
        // Later, when nobody wants it: a look wakes us.
        bool wanted = reactor_.now_ms() < wanted_until_ms_;
        auto wait = wanted_.wait(wanted ? kPauseMs : kWantedMs);
        if (!stopping_) co_await wait;
    }
}

task<void> Sampler::take() {
    auto stats = co_await broker_.store().stats();
    if (!stats) co_return;  // the old one gets older, which it says
    StoreSample sample;
    sample.stats = *stats;
    auto looked = co_await look_at_queues(sample);
    if (!looked) co_return;
    sample.taken_ms = reactor_.now_ms();
    last_ = std::move(sample);
}

// Costs the same however many names there are: one page of them, and those known to be of note.
task<Result<>> Sampler::look_at_queues(StoreSample& sample) {
    QueueRequest next;
    next.after = after_;
    next.limit = int(kQueues);
    next.latency = true;
    auto page = co_await broker_.store().queue_page(std::move(next));
    if (!page) co_return tl::unexpected<Error>(page.error());
    const bool all = after_.empty() && page->next.empty();
    after_ = page->next;
    sample.queues_total = page->known;
    sample.queues = std::move(page->queues);
    if (all) co_return Result<>{};
    std::erase_if(sample.queues, [](const QueueInfo& queue) { return !is_of_note(queue); });
    QueueRequest known;
    known.latency = true;
    for (const auto& queue : last_.queues)
        if (is_of_note(queue)) known.names.push_back(queue.name);
    std::sort(known.names.begin(), known.names.end());
    std::erase_if(known.names, [&](const std::string& name) {
        return std::any_of(sample.queues.begin(), sample.queues.end(),
                           [&](const QueueInfo& queue) { return queue.name == name; });
    });
    if (!known.names.empty()) {
        auto again = co_await broker_.store().queue_page(std::move(known));
        if (!again) co_return tl::unexpected<Error>(again.error());
        for (auto& queue : again->queues)
            if (is_of_note(queue)) sample.queues.push_back(std::move(queue));
    }
    keep_most(sample.queues);
    co_return Result<>{};
}

}  // namespace jobq
