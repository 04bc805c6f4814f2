// Capture: what one stream of a job wrote, within bounds: the head, the tail, and how many bytes
// there were in all. Part of JobOutput; child workers keep their last words in one.
// Must stay true: memory never exceeds head + tail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/job/kept_output.h"

namespace jobq {

class Capture {
  public:
    Capture(size_t head_bytes, size_t tail_bytes) : head_max_(head_bytes), tail_max_(tail_bytes) {}

    void append(std::string_view bytes);

    int64_t total() const { return total_; }

    bool is_cut() const { return left_out() > 0; }

    // Head and tail, and what is missing between them: whole characters on both sides of it.
    struct Kept {
        std::string bytes;
        LeftOut cut{};
    };

    Kept kept() const;
    // How many of the bytes from `from` to `to` of the stream are kept, but for that rounding.
    int64_t kept_between(int64_t from, int64_t to) const;
    // The last line that is not blank, without control characters, at most `bytes` of it.
    std::string last_line(size_t bytes) const;

  private:
    int64_t ring_from() const { return total_ - int64_t(ring_.size()); }

    int64_t left_out() const { return ring_from() - int64_t(head_.size()); }

    std::string tail() const;

    size_t head_max_, tail_max_;
    std::string head_, ring_;
    size_t ring_next_ = 0;  // where the ring continues once it is full
    int64_t total_ = 0;
};

}  // namespace jobq
