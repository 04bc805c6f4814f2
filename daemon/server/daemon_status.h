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

struct DaemonStatus {
    DaemonStatus(const RedisView& redis_in, std::string dir)
        : redis(redis_in), state_dir(std::move(dir)) {}

    // Nothing: they can.
    std::optional<NotReady> not_ready() const;

    const RedisView& redis;
    const std::string state_dir;
    int64_t started_ms = 0;                  // monotonic: since then it serves
    std::string unix_path{}, tcp{}, http{};  // as they were taken; "": it does not listen there
    uint64_t config_version = 1;             // raised by a reload
    DaemonState state = DaemonState::starting;
};

}  // namespace jobq
