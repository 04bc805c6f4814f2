// Checkup: `jobq doctor` as the store sees it. A store is gone through page by page, while jobs
// flow; each finding holds at one instant, seen by one step of the store, and with `fix` the same
// step repairs it. kFindings is the closed list of what can be found. Called by daemon/server/verbs
// (JOBQ DOCTOR) and by tests.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"

namespace jobq {

struct FindingKind {
    std::string_view name;
    std::string_view means;   // after "NAME: "
    std::string_view repair;  // what fix does
};

inline constexpr std::array kFindings{
    FindingKind{"no_place", "a stored job is in no queue and no set, so it would never run",
                "it goes back where it waited: its queue, or the set its record names"},
    FindingKind{"two_places", "a job is in several places, so it would run more than once",
                "the place nearest to being run stays"},
    FindingKind{"misfiled", "a job waits under another queue or priority than its own",
                "it moves to its own"},
    FindingKind{"damaged", "the stored form of a job does not match its checksum",
                "it is dead with the reason corrupt, its bytes are kept"},
    FindingKind{"no_body", "an entry names a job that is not stored", "the entry goes"},
    FindingKind{"bad_lease", "a running job's lease can't be read, so it could never end",
                "the lease goes and the job back to its queue"},
    FindingKind{"no_record", "a job says that it has a record of its attempts, and has none",
                "it gets an empty one"},
    FindingKind{"unused_record", "a job's record of its attempts is not looked at",
                "it is looked at again"},
    FindingKind{"orphan_record", "a record of attempts without a job", "it goes"},
    FindingKind{"orphan_cancel", "a cancel is on record for a job that does not run", "it goes"},
    FindingKind{"orphan_tie", "a job that is gone still counts for its lock, slot or batch",
                "it counts no more"},
    FindingKind{"orphan_lock", "a unique lock that no job holds keeps jobs out", "it goes"},
    FindingKind{"orphan_slot", "a slot of a queue is taken for a job that does not run",
                "it is free"},
    FindingKind{"orphan_progress", "progress of a job that is gone is kept for ever",
                "it goes in an hour"},
    FindingKind{"stray_tombstone", "a cancelled job's mark is in no queue", "it goes"},
    FindingKind{"no_owner", "jobs run for an owner that is not known, so nobody would miss it",
                "the owner is known again; is nobody it, its jobs are taken back"},
    FindingKind{"unknown_queue", "a queue has jobs that nothing would fetch",
                "the queue or its priority is known again"},
    FindingKind{"bad_queue", "what is noted of a queue can't be read", "it is written anew"},
    FindingKind{"bad_batch", "a batch's counts do not agree with its jobs",
                "they are counted anew, and callbacks that are due are enqueued"},
    FindingKind{"bad_count", "a counter does not agree with what is there, or is no number",
                "it is counted anew, or is 0"},
    FindingKind{"uncounted", "a failed job is not counted under its cause",
                "it is counted within a minute"},
    FindingKind{"miscounted", "a failed job is counted where it is not",
                "it is counted within a minute where it is"},
    FindingKind{"bad_key", "an entry that says when something ends has no counterpart",
                "the two agree again"},
    FindingKind{"no_bucket", "records of finished jobs that would never be dropped",
                "they go at their time"},
    FindingKind{"no_schema", "the store's schema is not what this jobqd made it",
                "it is written again"},
    FindingKind{"wrong_type", "a key of the store has another type than jobq uses",
                "it is renamed to aside:NAME, and nothing of it is lost"},
    FindingKind{"unknown_key", "a key that jobq does not use is among its own",
                "it is renamed to aside:NAME"},
};

struct Finding {
    std::string kind;   // of kFindings
    std::string what;   // a jid, or whose it is
    std::string where;  // places, keys, figures
    bool fixed = false;
};

struct CheckPage {
    std::vector<Finding> findings;
    int64_t looked_at = 0;   // entries so far, of all kinds
    int64_t expected = 0;    // in all, about
    bool over = false;       // this was the last page
    bool cut_short = false;  // keys of a wrong type are to be put aside first: call with fix
};

class Checkup {
  public:
    virtual ~Checkup() = default;
    // A step of some milliseconds. Not called again once a page was the last, or failed.
    virtual task<Result<CheckPage>> next() = 0;
};

}  // namespace jobq
