#include "daemon/app/upkeep.h"

#include <algorithm>

namespace jobq {

task<Result<>> Upkeep::start() {
    Broker& broker = broker_.broker();
    co_await broker.leases().recover();
    if (stopping_) co_return Result<>{};
    chores_ = std::make_unique<Chores>(broker, !redis_.is_private());
    chores_->start();
    store_.on_usable([this] { chores_->look_now(); });
    watchdog_ = std::make_unique<Watchdog>(reactor_, broker, counters_);
    sampler_ = std::make_unique<Sampler>(reactor_, broker);
    if (!config_->listen.http.empty()) sampler_->start();
    co_return Result<>{};
}

task<void> Upkeep::drain(Ending) {
    stopping_ = true;
    co_return;
}

task<void> Upkeep::stop(Ending ending) {
    if (!chores_) co_return;
    co_await watchdog_->stop();
    co_await sampler_->stop();
    co_await chores_->stop();
    const int64_t left = std::max<int64_t>(0, ending.until_ms - reactor_.now_ms());
    co_await broker_.broker().kept_ends().stop(left);
}

}  // namespace jobq
