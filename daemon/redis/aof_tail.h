// The end of the append-only file, looked at before the private Redis reads it. A crash can leave a
// record there that was never whole, and a power loss zeros in its place: nobody was told that
// those are kept, so they are cut off, and what was cut is put beside. Damage before the end is for
// a person to decide about. Redis alone would take a wrong length in the middle of the file for a
// record cut short, and drop all that follows without a word.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct AofScan {
    enum class End : uint8_t {
        whole,
        torn,     // no record begins after the first that is not whole
        damaged,  // one does
        strange,  // a whole record that jobq never wrote: Redis would drop it without a word
    };
    End end = End::whole;
    int64_t good = 0, size = 0;  // bytes; up to `good` all records, and transactions, are whole
};

// Reads the file by its lengths, a second for a GiB. Errors: config: it can't be read; cancelled:
// `stop` became true.
Result<AofScan> scan_aof(const std::string& file, const std::atomic<bool>* stop = nullptr);

// Cuts a torn end off the last file that Redis would read in `redis_dir`. Returns what was done,
// for people, or "" when there was nothing to do. `time` is put in the name of what was cut.
// Errors: corrupt, with the command that a person may run; storage_full; config; cancelled.
Result<std::string> mend_aof_tail(const std::string& redis_dir, const std::string& time,
                                  const std::atomic<bool>* stop = nullptr);

}  // namespace jobq
