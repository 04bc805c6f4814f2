// OutputRest: what jobqd has not got of an ended job's output. It goes before the job's report.
//
// Must stay true: what was given is given again after rewind(), and leaves by settle() alone.
#pragma once

#include <cstddef>
#include <vector>

#include "core/protocol/runner_messages.h"

namespace jobq {

class OutputRest {
  public:
    OutputRest() = default;

    // `cut`: the report has not all of the output.
    OutputRest(std::vector<OutputChunk> chunks, bool cut) : chunks_(std::move(chunks)), cut_(cut) {}

    bool empty() const { return chunks_.empty(); }

    bool on_its_way() const { return given_ > 0; }

    // The next chunk to send; null: all were given.
    const OutputChunk* next() { return given_ < chunks_.size() ? &chunks_[given_++] : nullptr; }

    // What was given arrived; or jobqd does not know the job yet, so that it is given again, unless
    // that was said too often: then the lease is lost, which the report will tell.
    void settle(bool known);

    // Another jobqd may get it now. What the report has as well would only leave a gap there.
    void rewind();

  private:
    std::vector<OutputChunk> chunks_;
    size_t given_ = 0;
    int unknown_ = 0;  // how often jobqd did not know the job
    bool cut_ = false;
};

}  // namespace jobq
