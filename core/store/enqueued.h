// Enqueued: what became of a job that was offered to the store, by whoever offered it.
#pragma once

#include <cstdint>
#include <string>

#include "core/job/state.h"

namespace jobq {

// What became of one job of an enqueue call; see known.h. Errors: duplicate (another job has its
// jid or its key), not_unique (another job holds its lock), not_found (there is no such batch).
struct Enqueued {
    enum class How : uint8_t {
        stored,    // new
        same,      // it is known already: a repeat of a call whose answer was lost
        existing,  // the idempotency key has a job already: `jid` is that one
    };
    How how = How::stored;
    std::string jid;
    State state = State::ready;  // now
    bool forgotten = false;      // existing, and its record is not kept any more: no state

    bool operator==(const Enqueued&) const = default;
};

}  // namespace jobq
