#include "daemon/app/webhooks_part.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/tls/tls.h"
#include "daemon/observe/log.h"

namespace jobq {

Result<std::optional<WebhookKeys>> read_webhook_keys(const WebhookConfig& config) {
    if (!config.enabled()) return std::nullopt;
    std::string remark;
    auto keys = WebhookKeys::read(config.secret_file, remark);
    if (!keys) return fail(ErrorCode::config, "webhook.secret_file: " + keys.error().text);
    if (!config.ca_file.empty())
        if (auto ca = TlsContext::for_client(config.ca_file); !ca)
            return fail(ErrorCode::config, "webhook.ca_file: " + ca.error().text);
    if (!remark.empty()) log(LogLevel::warn, "config.remark", remark);
    return std::move(*keys);
}

// One that is there stays when the lists are empty now: what still waits fails, and says so.
void WebhooksPart::use(std::optional<WebhookKeys> keys) {
    if (!keys || stopping_) return;
    if (pool_) {
        pool_->set_keys(std::move(*keys));
        return;
    }
    pool_ = std::make_unique<WebhookPool>(reactor_, broker_.broker(), std::move(*keys), metrics_);
    pool_->start();
}

task<Result<>> WebhooksPart::start() {
    auto keys = read_webhook_keys(config_->webhook);
    if (!keys) co_return tl::unexpected<Error>(keys.error());
    use(std::move(*keys));
    co_return Result<>{};
}

Result<> WebhooksPart::prepare(const Config& fresh) {
    auto keys = read_webhook_keys(fresh.webhook);
    if (!keys) return tl::unexpected<Error>(keys.error());
    next_ = std::move(*keys);
    return {};
}

task<void> WebhooksPart::reload() {
    use(std::exchange(next_, std::nullopt));
    co_return;
}

task<void> WebhooksPart::drain(Ending ending) {
    stopping_ = true;
    if (!pool_) co_return;
    co_await pool_->stop(std::max<int64_t>(0, ending.until_ms - reactor_.now_ms()));
}

void WebhooksPart::hurry() {
    if (pool_) pool_->hurry();
}

}  // namespace jobq
