// LiveOutput: what a running job has written so far, in the order in which it came: its head, and
// of the rest the last of it, or as much as those who follow have not taken yet.
//
// A place counts all that ever came, of both streams, and a little for each piece; it means
// something in this object alone. Must stay true: memory is bounded whatever comes; what was
// dropped can be told by the offsets of the pieces.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/async/wait.h"
#include "core/job/kept_output.h"

namespace jobq {

class LiveOutput {
  public:
    explicit LiveOutput(Reactor& reactor) : changed(reactor) {}

    // What is known already is skipped, so a resend is harmless. Of what is not in the head at most
    // `keep` is kept.
    void put(OutputPiece piece, int64_t keep);

    // The next piece at or after `place`, which is moved behind it; nothing: there is none yet.
    std::optional<OutputPiece> next(int64_t& place) const;

    // Of all that is kept, how much lies behind `place`.
    int64_t unread(int64_t place) const;

    // Bytes of a stream so far, with those that never came.
    int64_t size(OutputStream stream) const { return sizes_[size_t(stream)]; }

    Signal changed;

  private:
    struct Entry {
        int64_t place = 0;  // of its first byte
        OutputPiece piece;

        int64_t end() const;
    };

    static const Entry* find(const std::deque<Entry>& entries, int64_t place);

    std::deque<Entry> head_, tail_;
    std::array<int64_t, 2> sizes_{};
    int64_t end_ = 0;       // the place behind the last piece
    int64_t head_end_ = 0;  // likewise of the head's
};

}  // namespace jobq
