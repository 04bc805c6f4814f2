// RedisPart: the Redis of jobqd, its own or an external one, the link to it, and the watch over
// its room.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/app/part.h"
#include "daemon/observe/events.h"
#include "daemon/observe/metrics.h"
#include "daemon/redis/link.h"
#include "daemon/redis/private_redis.h"
#include "daemon/redis/storage.h"
#include "daemon/server/views.h"

namespace jobq {

// What becomes of the Redis while jobqd runs.
class RedisListener {
  public:
    virtual ~RedisListener() = default;
    virtual void link_changed(LinkState state) = 0;
    // It refused to write, and takes writes again.
    virtual void writes_again() = 0;
};

class RedisPart final : public Part, public RedisView {
  public:
    RedisPart(UvReactor& reactor, const ConfigPtr& config, std::string state_dir, Metrics& metrics,
              Events& events);

    task<Result<>> start() override;
    task<void> drain(Ending ending) override;
    task<void> stop(Ending ending) override;

    // From start() on.
    UvRedisLink& link() { return *link_; }

    Storage& room() { return *storage_; }

    LinkFigures figures() const { return link_ ? link_->figures() : LinkFigures{}; }

    // No other daemon uses it.
    bool is_private() const { return private_redis_ != nullptr; }

    // One listener. It is called until drain().
    void tell(RedisListener& listener) { listener_ = &listener; }

    std::string state_text() const override;
    StorageStatus storage() const override;

  private:
    Result<> prepare_private();
    void make_storage();
    void make_link(const RedisAddress& address);
    void link_changed(LinkState state, const Error& trouble);
    void say_loading(const std::string& text);
    void room_changed(bool full, const std::string& text);
    void writes_changed(bool refused, const std::string& text);

    UvReactor& reactor_;
    const ConfigPtr& config_;
    const std::string state_dir_;
    Metrics& metrics_;
    Events& events_;
    RedisListener* listener_ = nullptr;  // null until the store is open
    std::unique_ptr<PrivateRedis> private_redis_;
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<UvRedisLink> link_;
    bool link_started_ = false, stopping_ = false;
    int64_t loading_said_ms_ = 0;  // 0: it does not load
};

}  // namespace jobq
