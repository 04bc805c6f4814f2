// LineReader: the lines of a descriptor as they come, with one line's limit of memory. For input
// that is read while answers are awaited: fill() reads once, next() takes what is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jobq::cli {

class LineReader {
  public:
    // Lines longer than `limit` are skipped and come as too_long.
    LineReader(int fd, size_t limit) : fd_(fd), limit_(limit) {}

    struct Line {
        int64_t number = 0;  // from 1
        // Without its line end, and the first one without a byte order mark; valid until fill().
        std::string_view text;
        bool too_long = false;
    };

    // One read(). 0, or the errno it failed with.
    int fill();
    // The same, but waits until there is something where the descriptor does not block.
    int wait_and_fill();
    std::optional<Line> next();

    bool at_end() const { return end_ && taken_ == buffer_.size(); }

    bool wants_more() const { return !end_; }

    int fd() const { return fd_; }

    int64_t lines() const { return number_; }

  private:
    int fd_;
    size_t limit_;
    std::string buffer_;
    size_t taken_ = 0;
    size_t searched_ = 0;  // no line end before this
    bool end_ = false;
    bool skipping_ = false;  // inside a line that is too long
    int64_t number_ = 0;
};

}  // namespace jobq::cli
