// UnwatchedStorage: the StorageGate where nobody watches over the store: it lets all pass and knows
// nothing of the store's durability.
#pragma once

#include "core/store/storage_gate.h"

namespace jobq {

class UnwatchedStorage final : public StorageGate {
  public:
    std::optional<Error> refuse(ScriptKind, size_t) override { return std::nullopt; }

    void answered(const ScriptAnswer&) override {}

    StorageStatus status() const override { return {}; }

    const std::string& durability() const override { return durability_; }

    static const StorageGate& only() {
        static const UnwatchedStorage kOnly;
        return kOnly;
    }

  private:
    std::string durability_ = "unknown";
};

}  // namespace jobq
