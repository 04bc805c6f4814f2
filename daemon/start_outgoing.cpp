// App: what goes out by HTTP, at the start and after a reload: webhooks, and the spans of traces.
#include "core/tls/tls.h"
#include "daemon/app.h"
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

// Also at a reload. One that is there stays when the lists are empty now: what still waits fails,
// and says so.
Result<> App::make_webhooks(const Config& config) {
    auto keys = read_webhook_keys(config.webhook);
    if (!keys) return tl::unexpected<Error>(keys.error());
    if (!*keys) return {};
    if (webhooks_) {
        webhooks_->set_keys(std::move(**keys));
        return {};
    }
    webhooks_ = std::make_unique<WebhookPool>(reactor_, *broker_, std::move(**keys), metrics_);
    webhooks_->start();
    return {};
}

// At a reload: its file was read before.
task<void> App::set_traces() {
    TraceConfig wanted = config_->trace;
    auto set = co_await traces_->set(std::move(wanted));
    if (!set) log(LogLevel::error, "config.error", set.error().text);
    broker_->set_tracer(traces_->tracer());
}

}  // namespace jobq
