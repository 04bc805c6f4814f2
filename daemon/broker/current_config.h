// CurrentConfig: the configuration in force, for the parts of the broker. A reload puts another in
// its place: what it gives is not to be kept over a wait.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/config/config.h"

namespace jobq {

class CurrentConfig {
  public:
    explicit CurrentConfig(std::shared_ptr<const Config> config) : config_(std::move(config)) {}

    void set(std::shared_ptr<const Config> config) { config_ = std::move(config); }

    const Config& operator*() const { return *config_; }

    const Config* operator->() const { return config_.get(); }

    const TypePolicy& policy_of(const std::string& type) const;
    // How much of each stream of an attempt is kept; more than limits::kOutputKeptBytes: in a file.
    int64_t output_bytes_of(const std::string& type) const;
    // How long a plain Faktory worker may have this job.
    int64_t reserve_ms(const Job& job) const;

    // Other daemons may use the store too.
    bool has_shared_store() const { return !config_->redis.url.empty(); }

  private:
    std::shared_ptr<const Config> config_;
};

}  // namespace jobq
