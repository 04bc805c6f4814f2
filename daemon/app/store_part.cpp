#include "daemon/app/store_part.h"

#include <array>
#include <utility>

#include "core/store/failpoints/failpoint_store.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kAgainMs = 500;

std::function<void(StoreBatch, size_t)> batch_sizes(Metrics& metrics) {
    std::array<prometheus::Histogram*, 3> sizes{};
    for (const auto& [what, name] :
         {std::pair{StoreBatch::enqueue, "enqueue"}, std::pair{StoreBatch::fetch, "fetch"},
          std::pair{StoreBatch::finish, "finish"}})
        sizes[size_t(what)] = &metrics.histogram(Metric::redis_batch_size, {{"what", name}});
    return [sizes](StoreBatch what, size_t count) { observe(*sizes[size_t(what)], double(count)); };
}

}  // namespace

StorePart::StorePart(UvReactor& reactor, const ConfigPtr& config, RedisPart& redis,
                     DaemonStatus& status, Metrics& metrics)
    : reactor_(reactor),
      config_(config),
      redis_(redis),
      status_(status),
      metrics_(metrics),
      halt_(reactor),
      gate_(reactor) {}

task<Result<>> StorePart::start() {
    RedisStoreOptions options;
    options.publish_hints = !redis_.is_private();
    options.gate = &redis_.room();
    options.on_batch = batch_sizes(metrics_);
    store_ = std::make_unique<RedisStore>(reactor_, redis_.link(), Keys(config_->redis.name_space),
                                          options);
    spoiled_ = with_failpoints(*store_, reactor_, redis_.link(), Keys(config_->redis.name_space));
    auto opened = co_await store_->open();
    if (!opened) co_return opened;
    redis_.tell(*this);
    co_await redis_.room().learn_durability();
    co_return Result<>{};
}

task<void> StorePart::drain(Ending) {
    stopping_ = true;
    halt_.notify_all();
    co_await gate_.close();
}

void StorePart::link_changed(LinkState state) {
    if (stopping_) return;
    if (state == LinkState::ready) {
        if (!reopening_) gate_.spawn(reopen());
    } else if (status_.state == DaemonState::ready) {
        status_.state = DaemonState::store_down;
    }
}

void StorePart::writes_again() {
    for (const auto& tell : usable_)
        tell();
}

// Until it is well, or the link is away again.
task<void> StorePart::reopen() {
    if (std::exchange(reopening_, true)) co_return;
    std::string told;
    bool opened = false;
    while (!opened && !stopping_ && redis_.link().state() == LinkState::ready) {
        auto done = co_await store_->open();
        opened = done.has_value();
        if (opened) break;
        if (done.error().text != told) log(LogLevel::error, "store.not_opened", done.error().text);
        told = done.error().text;
        auto pause = halt_.wait(kAgainMs);
        co_await pause;
    }
    reopening_ = false;
    if (!opened || stopping_) co_return;
    for (const auto& tell : reopened_)
        tell();
    co_await redis_.room().learn_durability();
    // It is done again when that is back.
    if (stopping_ || redis_.link().state() != LinkState::ready) co_return;
    if (status_.state == DaemonState::store_down) status_.state = DaemonState::ready;
    writes_again();
}

}  // namespace jobq
