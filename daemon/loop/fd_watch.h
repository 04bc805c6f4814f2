// FdWatch: calls back from the loop's turn when a descriptor becomes readable; again as long as it
// is. For descriptors others own: a library's epoll, a pidfd. Must stay true: nothing is called
// once the watch is gone, also not what was planned in the same turn.
#pragma once

#include <functional>
#include <memory>

#include "core/base/error.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq {

class FdWatch {
  public:
    // Does not own `fd`; it must outlive the watch.
    FdWatch(UvReactor& reactor, int fd, std::function<void()> on_readable);
    ~FdWatch();
    FdWatch(const FdWatch&) = delete;

  private:
    struct Impl;
    Impl* impl_;  // freed in uv's close callback
};

// Calls back once, from the loop's turn, when the process has ended; it need not be a child.
class PidWatch {
  public:
    // not_found: no such process; unavailable: it can't be watched now.
    static Result<std::unique_ptr<PidWatch>> watch(UvReactor& reactor, int64_t pid,
                                                   std::function<void()> on_end);
    ~PidWatch();
    PidWatch(const PidWatch&) = delete;

  private:
    PidWatch() = default;
    int fd_ = -1;
    std::unique_ptr<FdWatch> watch_;
};

}  // namespace jobq
