// Drives a real event loop in a test until something is so, or a deadline has passed.
// Tests look every 2 ms and never sleep.
#pragma once

#include <functional>

#include "daemon/loop/uv_reactor.h"

namespace jobq::test {

namespace detail {

inline void look(UvReactor& reactor, const std::function<bool()>& condition, int64_t until_ms) {
    if (condition() || reactor.now_ms() >= until_ms) {
        reactor.stop();
        return;
    }
    reactor.after(2, [&reactor, &condition, until_ms] { look(reactor, condition, until_ms); });
}

}  // namespace detail

// True as soon as `condition()` is; false after `limit_ms`.
inline bool loop_until(UvReactor& reactor, const std::function<bool()>& condition,
                       int64_t limit_ms = 10'000) {
    detail::look(reactor, condition, reactor.now_ms() + limit_ms);
    reactor.run();
    return condition();
}

}  // namespace jobq::test
