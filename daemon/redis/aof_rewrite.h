// When the private Redis writes its append-only file anew: pure functions for Storage. Redis would
// do it by the size of the file alone, and the copy that it makes can be what fills the disk. Here
// it needs room for the copy, and when the disk is full it is done early: what was drained is
// dropped.
#pragma once

#include <cstdint>
#include <string>

namespace jobq {

struct AofSize {
    int64_t base = 0, all = 0;  // bytes; all with the base
};

// Of the files in `redis_dir`/appendonlydir.
AofSize aof_size(const std::string& redis_dir);

// What is known when the question is asked.
struct RewriteCase {
    AofSize file;
    int64_t data_bytes = 0;   // the copy takes no more than this
    int64_t free_bytes = 0;   // on the disk
    int64_t leave_bytes = 0;  // of it must remain
    bool disk_full = false;
};

bool wants_rewrite(const RewriteCase& now);
bool has_room_for_rewrite(const RewriteCase& now);

}  // namespace jobq
