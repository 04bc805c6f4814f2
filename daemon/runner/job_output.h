// JobOutput: what a job writes, for two readers: its report, which gets the head and the tail of
// each stream with their order in time; and jobqd, which gets all of it while the job runs, as fast
// as those who follow the job take it.
//
//   append() --> kept (head, tail, order)            --> kept(), at the end
//           +--> waiting pieces --take()--> sent --arrived()--> gone
//
// Must stay true: memory is bounded, by the caller who does not read the pipes while full(), and by
// dropping the oldest waiting pieces where nobody follows; offsets tell what was dropped; what was
// taken is given again after rewind().
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "core/job/kept_output.h"
#include "core/protocol/runner_messages.h"
#include "daemon/runner/capture.h"
#include "daemon/runner/json_shape.h"

namespace jobq {

class JobOutput {
  public:
    explicit JobOutput(const TypeSpec& type);

    void append(OutputStream stream, std::string_view bytes, int64_t at_ms);

    const Capture& out() const { return out_; }

    const Capture& err() const { return err_; }

    Output kept() const;

    // Of stdout, when it is too long to be kept: it looks like one JSON value.
    bool is_long_json() const { return out_.is_cut() && shape_.is_closed(); }

    // Who reads the pipes is to wait.
    bool full() const;

    // The next pieces that were not taken, of about `most` bytes, within what jobqd has room for.
    std::vector<OutputPiece> take(size_t most);
    // What was taken is there.
    void arrived();
    // It is not, perhaps: all that is still here is given again.
    void rewind();
    // What waits or was taken, at the end of the job.
    std::vector<OutputPiece> take_rest();

    // May be given by take() now.
    size_t ready_bytes() const;

    // Waits for jobqd to have room.
    bool is_blocked() const { return waiting_bytes() > 0 && room_ == 0; }

    bool any_taken() const { return any_taken_; }

    bool is_followed() const { return told_ && room_ != OutputRoom::kNobody; }

    // What jobqd said last.
    void set_room(int64_t room);

  private:
    struct Mark {
        OutputStream stream;
        int64_t from, to, at_ms;
    };

    const Capture& capture(OutputStream stream) const {
        return stream == OutputStream::out ? out_ : err_;
    }

    bool anybody() const { return room_ != OutputRoom::kNobody; }

    size_t waiting_bytes() const { return bytes_ - taken_bytes_; }

    void mark(OutputStream stream, int64_t from, int64_t to, int64_t at_ms);
    void thin_marks();
    void drop_old();

    Capture out_, err_;
    JsonShape shape_;
    std::vector<Mark> marks_;
    std::deque<OutputPiece> pieces_;  // in the order of time; the first taken_ were taken
    size_t taken_ = 0, taken_bytes_ = 0, bytes_ = 0;
    int64_t room_;
    bool told_ = false, any_taken_ = false;
};

}  // namespace jobq
