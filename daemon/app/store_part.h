// StorePart: the store on the Redis of RedisPart: opened at the start, and opened anew whenever the
// link was away, as that Redis may be another process then, without our scripts.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/async/gate.h"
#include "core/store/redis/redis_store.h"
#include "daemon/app/redis_part.h"
#include "daemon/server/daemon_status.h"

namespace jobq {

class StorePart final : public Part, private RedisListener {
  public:
    StorePart(UvReactor& reactor, const ConfigPtr& config, RedisPart& redis, DaemonStatus& status,
              Metrics& metrics);

    task<Result<>> start() override;
    task<void> drain(Ending ending) override;

    // From start() on.
    Store& store() { return spoiled_ ? *spoiled_ : *store_; }

    // Told each time that the store was opened anew.
    void on_reopened(std::function<void()> fn) { reopened_.push_back(std::move(fn)); }

    // Told when the store can be used again, after that or as Redis writes again.
    void on_usable(std::function<void()> fn) { usable_.push_back(std::move(fn)); }

  private:
    void link_changed(LinkState state) override;
    void writes_again() override;
    task<void> reopen();

    UvReactor& reactor_;
    const ConfigPtr& config_;
    RedisPart& redis_;
    DaemonStatus& status_;
    Metrics& metrics_;
    std::unique_ptr<RedisStore> store_;
    std::unique_ptr<Store> spoiled_;  // with_failpoints()
    std::vector<std::function<void()>> reopened_, usable_;
    bool reopening_ = false, stopping_ = false;
    Signal halt_;
    Gate gate_;
};

}  // namespace jobq
