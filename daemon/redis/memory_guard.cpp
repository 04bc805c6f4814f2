#include "daemon/redis/memory_guard.h"

#include <algorithm>

#include "core/base/text.h"
#include "daemon/redis/disk_guard.h"

namespace jobq {

std::optional<RedisMemory> parse_info_memory(std::string_view info) {
    RedisMemory memory;
    int64_t startup = 0, uncounted = 0;
    bool seen = false;
    for (std::string_view line : split(info, '\n')) {
        size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view key = line.substr(0, colon), text = trim(line.substr(colon + 1));
        if (key == "maxmemory_policy") memory.evicts = text != "noeviction";
        int64_t value = parse_int(text).value_or(0);
        if (key == "used_memory") memory.used = value;
        if (key == "used_memory") seen = true;
        if (key == "maxmemory") memory.limit = value;
        if (key == "used_memory_startup") startup = value;
        if (key == "mem_not_counted_for_evict") uncounted = value;
    }
    if (!seen) return std::nullopt;
    memory.data = std::max<int64_t>(0, memory.used - startup);
    memory.used = std::max<int64_t>(0, memory.used - uncounted);
    return memory;
}

std::optional<Error> MemoryGuard::refuse(size_t bytes) {
    added_ += int64_t(bytes);
    if (!full_ && !uncertain()) return std::nullopt;
    added_ -= int64_t(bytes);
    refused_ = true;
    return Error{ErrorCode::storage_full, text()};
}

void MemoryGuard::take(const RedisMemory& memory) {
    memory_ = memory;
    added_ = 0;
    // With a margin, or it would change its mind at each job.
    const int64_t go_at = memory.limit / 20 * 17, nearly = memory.limit / 50 * 44;
    const int64_t line = full_ ? go_at : refused_ ? nearly : stop_at();
    full_ = memory.limit > 0 && memory.used >= line;
    refused_ = false;
}

std::string MemoryGuard::text() const {
    return "Redis uses " + size_in_words(expected()) + " of its memory limit of " +
           size_in_words(memory_.limit) +
           ", and new jobs are accepted only below nine tenths; try again when workers have "
           "finished some jobs, or raise the limit (max_memory in [redis], or maxmemory of your "
           "own Redis)";
}

void MemoryGuard::fill_in(StorageStatus& status) const {
    status.memory_bytes = memory_.used;
    status.memory_limit = memory_.limit;
}

}  // namespace jobq
