#include "daemon/chores/sampler.h"

#include <algorithm>

namespace jobq {
namespace {

// A second; more with many queues, each of which costs Redis some microseconds.
int64_t pause_ms(size_t queues) {
    return std::max<int64_t>(1'000, 5 * int64_t(queues));
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
        auto wait = wanted_.wait(wanted ? pause_ms(last_.queues.size()) : kWantedMs);
        if (!stopping_) co_await wait;
    }
}

task<void> Sampler::take() {
    auto stats = co_await broker_.store().stats();
    if (!stats) co_return;  // the old one gets older, which it says
    auto queues = co_await broker_.store().queues(true);
    if (!queues) co_return;
    last_.taken_ms = reactor_.now_ms();
    last_.stats = *stats;
    last_.queues = std::move(*queues);
}

}  // namespace jobq
