#include "daemon/broker/current_config.h"

#include <algorithm>

namespace jobq {

const TypePolicy& CurrentConfig::policy_of(const std::string& type) const {
    static const TypePolicy kDefault;
    if (type == kWebhookType) return config_->webhook.policy;
    auto found = config_->types.find(type);
    return found == config_->types.end() ? kDefault : found->second.policy;
}

int64_t CurrentConfig::output_bytes_of(const std::string& type) const {
    const auto found = config_->types.find(type);
    return int64_t(found == config_->types.end() ? limits::kOutputKeptBytes
                                                 : found->second.output_bytes);
}

int64_t CurrentConfig::reserve_ms(const Job& job) const {
    const int64_t seconds = job.reserve_for_s == 0 ? limits::kReserveDefaultS : job.reserve_for_s;
    const int64_t wanted = std::min(seconds, limits::kReserveMaxS) * 1000;
    return std::max(wanted, config_->reserve_min_ms);
}

}  // namespace jobq
