#include "daemon/app/hints_part.h"

#include <string>

#include "core/net/redis_url.h"
#include "core/store/keys.h"

namespace jobq {

task<Result<>> HintsPart::start() {
    if (redis_.is_private()) co_return Result<>{};
    hints_ = std::make_unique<HintListener>(
        reactor_, parse_redis_url(config_->redis.url).value(),
        Keys(config_->redis.name_space).hint_channel(),
        [this](const std::string& queue) { broker_.broker().hints().take(queue); },
        [this] { broker_.broker().waiters().notify_all(); });
    hints_->start();
    store_.on_reopened([this] { hints_->renew(); });
    co_return Result<>{};
}

task<void> HintsPart::stop(Ending) {
    if (hints_) co_await hints_->stop();
}

}  // namespace jobq
