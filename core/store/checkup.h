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
    FindingKind{"no_place", "a stored job is in no queue or set, so it would never run",
                "it goes back to where it waited: its queue, or the set its record names"},
    FindingKind{"two_places", "a job is in several places, so it would run more than once",
                "the place nearest to running is kept"},
    FindingKind{"misfiled", "a job waits under another queue or priority than its own",
                "it moves to its own"},
    FindingKind{"damaged", "the stored form of a job does not match its checksum",
                "it becomes dead with the reason corrupt, and its bytes are kept"},
    FindingKind{"no_body", "an entry names a job that is not stored", "the entry is removed"},
    FindingKind{"bad_lease", "a running job's lease can't be read, so it could never end",
                "the lease is removed and the job goes back to its queue"},
    FindingKind{"no_record", "a job refers to a record of its attempts that does not exist",
                "it gets an empty record"},
    FindingKind{"unused_record", "the record of a job's attempts is not used", "it is used again"},
    FindingKind{"orphan_record", "a record of attempts has no job", "it is removed"},
    FindingKind{"orphan_cancel", "a cancel is recorded for a job that is not running",
                "it is removed"},
    FindingKind{"orphan_tie", "a removed job still counts for its lock, slot or batch",
                "it no longer counts"},
    FindingKind{"orphan_lock", "a unique lock that no job holds refuses jobs", "it is removed"},
    FindingKind{"orphan_slot", "a slot of a queue is taken by a job that is not running",
                "it is freed"},
    FindingKind{"orphan_progress", "the progress of a removed job would be kept forever",
                "it is removed in an hour"},
    FindingKind{"stray_tombstone", "the mark of a cancelled job is in no queue", "it is removed"},
    FindingKind{"no_owner", "jobs run for an unknown owner, whose death nobody would notice",
                "the owner is known again; if it does not exist, its jobs are taken back"},
    FindingKind{"unknown_queue", "a queue has jobs that nothing would fetch",
                "the queue or its priority is known again"},
    FindingKind{"bad_queue", "the notes about a queue can't be read", "they are written again"},
    FindingKind{"bad_batch", "a batch's counts do not agree with its jobs",
                "they are counted again, and due callbacks are enqueued"},
    FindingKind{"bad_count", "a counter does not agree with the store, or is not a number",
                "it is counted again, or set to 0"},
    FindingKind{"uncounted", "a failed job is not counted under its cause",
                "it is counted within a minute"},
    FindingKind{"miscounted", "a failed job is counted under a wrong cause",
                "it is counted under its cause within a minute"},
    FindingKind{"bad_key", "an expiry entry has no counterpart", "the two agree again"},
    FindingKind{"no_bucket", "records of finished jobs would never be removed",
                "they are removed when their time has come"},
    FindingKind{"no_schema", "the schema number of the store is not the one this jobqd wrote",
                "it is written again"},
    FindingKind{"wrong_type", "a key of the store has another type than jobq uses",
                "it is renamed to aside:NAME and not deleted"},
    FindingKind{"unknown_key", "a key that jobq does not use has jobq's prefix",
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
