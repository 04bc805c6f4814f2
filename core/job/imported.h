// Imported: a job that comes from another store (Faktory's) with a past: the state it was in there,
// when it is due, and what has happened to it. core/protocol/import_wire reads it, the store takes
// it as it is.
#pragma once

#include <cstdint>

#include "core/job/job.h"

namespace jobq {

struct Imported {
    Job job;
    JobRecord record;
    State state = State::ready;  // ready, scheduled, retrying or dead
    int64_t at_ms = 0;           // wall clock; scheduled, retrying: when due; dead: when it died

    bool operator==(const Imported&) const = default;
};

}  // namespace jobq
