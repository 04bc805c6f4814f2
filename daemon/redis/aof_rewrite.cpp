#include "daemon/redis/aof_rewrite.h"

#include <filesystem>

namespace jobq {
namespace {

// A rewrite takes a core for seconds: not every 64 MiB, as Redis has it.
constexpr int64_t kFromBytes = 256LL << 20;
constexpr int64_t kWorthBytes = 128 << 10;  // on a full disk

}  // namespace

AofSize aof_size(const std::string& redis_dir) {
    AofSize size;
    std::error_code failed;
    std::filesystem::directory_iterator files(redis_dir + "/appendonlydir", failed);
    if (failed) return size;
    for (const auto& file : files) {
        auto bytes = int64_t(file.file_size(failed));
        if (failed) continue;
        std::string name = file.path().filename();
        if (name.find(".base.") != std::string::npos) size.base += bytes;
        if (name.find(".base.") != std::string::npos || name.find(".incr.") != std::string::npos)
            size.all += bytes;
    }
    return size;
}

bool wants_rewrite(const RewriteCase& now) {
    if (now.disk_full) return now.file.all - now.data_bytes >= kWorthBytes + now.file.all / 4;
    return now.file.all >= kFromBytes && now.file.all >= 2 * now.file.base;
}

bool has_room_for_rewrite(const RewriteCase& now) {
    return now.free_bytes - now.data_bytes - now.data_bytes / 10 >= now.leave_bytes;
}

}  // namespace jobq
