// LiveOutput: what a running job has written so far, its head and its tail, for those who follow.
// Positions count all bytes ever written, so a follower knows what it missed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/async/wait.h"

namespace jobq {

class LiveOutput {
  public:
    explicit LiveOutput(Reactor& reactor) : changed(reactor) {}

    struct Part {
        int64_t at = 0;  // position of the first byte
        std::string text;
    };

    // A piece that starts at `offset`; what is known already is skipped, so a resend is harmless.
    void put(int64_t offset, std::string_view text);
    // The next unbroken piece of what is kept at or after `position`; an empty text when there is
    // nothing more. It begins later than asked where the middle was left out.
    Part next(int64_t position) const;

    int64_t size() const { return size_; }

    Signal changed;

  private:
    std::string head_;  // from position 0
    std::string tail_;  // up to position size_
    int64_t size_ = 0;
};

}  // namespace jobq
