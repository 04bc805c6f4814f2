// WebhooksPart: the delivery of webhooks, from the first configuration that allows a host on.
#pragma once

#include <memory>
#include <optional>

#include "daemon/app/broker_part.h"
#include "daemon/work/webhook_pool.h"

namespace jobq {

// The secrets of [webhook]; nothing while it is off. config: the file can't be used.
Result<std::optional<WebhookKeys>> read_webhook_keys(const WebhookConfig& config);

class WebhooksPart final : public Part {
  public:
    WebhooksPart(UvReactor& reactor, const ConfigPtr& config, BrokerPart& broker, Metrics& metrics)
        : reactor_(reactor), config_(config), broker_(broker), metrics_(metrics) {}

    task<Result<>> start() override;
    Result<> prepare(const Config& fresh) override;
    task<void> reload() override;
    task<void> drain(Ending ending) override;
    void hurry() override;

    bool is_on() const { return pool_ != nullptr; }

    int in_flight() const { return pool_ ? pool_->in_flight() : 0; }

  private:
    void use(std::optional<WebhookKeys> keys);

    UvReactor& reactor_;
    const ConfigPtr& config_;
    BrokerPart& broker_;
    Metrics& metrics_;
    std::unique_ptr<WebhookPool> pool_;
    std::optional<WebhookKeys> next_;  // for reload()
    bool stopping_ = false;
};

}  // namespace jobq
