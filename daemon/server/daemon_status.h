// DaemonStatus: what jobqd says of itself: its state, where it listens, and whether jobs can be
// enqueued now. Owned by the app, whose parts keep it up to date.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/server/views.h"

namespace jobq {

enum class DaemonState : uint8_t { starting, ready, stopping, store_down };
std::string_view name(DaemonState state);

// Why no jobs can be enqueued: one word for programs, and a text for people.
struct NotReady {
    std::string word, why;
};

class DaemonStatus {
  public:
    DaemonStatus(const RedisView& redis_in, std::string dir);

    // Nothing: they can.
    std::optional<NotReady> not_ready() const;

    // A name for the configuration in force that no other has, in this life of jobqd or another:
    // a runner outlives jobqd.
    const std::string& config_version() const { return config_version_; }

    void config_changed();

    const RedisView& redis;
    const std::string state_dir;
    int64_t started_ms = 0;                  // monotonic: since then it serves
    std::string unix_path{}, tcp{}, http{};  // as they were taken; "": it does not listen there
    DaemonState state = DaemonState::starting;

  private:
    const std::string life_;
    uint64_t changes_ = 0;
    std::string config_version_{};
};

}  // namespace jobq
