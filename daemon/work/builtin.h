// Built-in handlers of `thread` pools: noop, echo, sleep, fail. They run on the pool's threads and
// see nothing of jobqd but what is passed in.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/job/state.h"

namespace jobq {

struct HandlerCall {
    std::string_view payload;  // JSON
    int attempt = 1;
    int64_t deadline_ms = 0;        // monotonic (CLOCK_MONOTONIC)
    const std::atomic<bool>* stop;  // a cancel, or the daemon stops
};

struct HandlerResult {
    Outcome outcome = Outcome::success;
    std::string error_type, message;
    std::string result;  // JSON
};

using Handler = HandlerResult (*)(const HandlerCall&);

//   noop   does nothing
//   echo   returns its payload
//   sleep  payload: seconds as a number, a duration ("1m30s"), or {"ms": n}; returns early on stop
//   fail   payload: {"message": s, "times": n}: fails n times (for ever when absent), then
//   succeeds;
//          {"dead": true}: never again
Handler builtin(std::string_view type);

// The built-in types that a thread pool runs: those it names, or all.
std::vector<std::string> builtins_of(const PoolConfig& pool);

int64_t monotonic_ms();

}  // namespace jobq
