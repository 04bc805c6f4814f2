// Part: a piece of the daemon that App starts, reloads and stops, in the order of one list.
//
// Must stay true of each: start() is called once and may be cut short by a drain(); to drain or
// stop what was not started is nothing, as is to do it again; after drain() nothing is made any
// more, also by a reload() that waits meanwhile.
#pragma once

#include <cstdint>
#include <memory>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/config/config.h"

namespace jobq {

using ConfigPtr = std::shared_ptr<const Config>;

// How the daemon ends.
struct Ending {
    int64_t until_ms = 0;    // monotonic: what runs may end until then
    bool restarts = false;   // to run the program's file anew in this process
    bool unstarted = false;  // before all had started: waits of a start are to end at once
};

class Part {
  public:
    virtual ~Part() = default;

    // When it fails the daemon does not come up, and says why.
    virtual task<Result<>> start() { co_return Result<>{}; }

    // Before a reload: reads what a fresh configuration names outside of it. An error keeps the
    // present one in force, of all parts.
    virtual Result<> prepare(const Config& /*fresh*/) { return {}; }

    // The configuration of now is another.
    virtual task<void> reload() { co_return; }

    // All at once, before the first stop(): takes nothing new; what runs may end.
    virtual task<void> drain(Ending /*ending*/) { co_return; }

    // Cuts that short: somebody asked twice.
    virtual void hurry() {}

    // One after another, from the last that was started.
    virtual task<void> stop(Ending /*ending*/) { co_return; }
};

}  // namespace jobq
