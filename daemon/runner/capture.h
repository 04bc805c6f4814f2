// Capture: what one stream of a job wrote, within bounds: the head, the tail, and how many bytes
// there were in all. Filled by ProcessJob and ChildPool; read by the reporter while the job runs,
// and once more for its DONE. Memory never exceeds head + tail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jobq {

class Capture {
  public:
    Capture(size_t head_bytes, size_t tail_bytes) : head_max_(head_bytes), tail_max_(tail_bytes) {}

    void append(std::string_view bytes);

    // Nothing follows: a character that was cut off at the end is sent as it is.
    void close() { closed_ = true; }

    int64_t total() const { return total_; }

    bool is_cut() const { return left_out() > 0; }

    // Head, one line that says how much was left out, tail.
    std::string text() const;
    // The last line that is not blank, without control characters, at most `bytes` of it.
    std::string last_line(size_t bytes) const;

    // For live output: the next piece that was not handed out, and where in the stream it starts.
    // What the ring has dropped meanwhile is skipped.
    struct Piece {
        int64_t offset = 0;
        std::string bytes;
    };

    std::optional<Piece> take_piece(size_t max_bytes);

    bool has_piece() const { return sent_ < total_; }

    bool piece_taken() const { return sent_ > 0; }

    // After a reconnect: hands out everything again.
    void rewind() { sent_ = 0; }

  private:
    int64_t left_out() const;
    std::string tail() const;
    std::string stretch(int64_t from, size_t max_bytes) const;

    size_t head_max_, tail_max_;
    std::string head_, ring_;
    size_t ring_next_ = 0;  // where the ring continues once it is full
    int64_t total_ = 0, sent_ = 0;
    bool closed_ = false;
};

}  // namespace jobq
