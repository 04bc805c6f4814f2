// Reads Redis's log lines, "1234:M 22 Nov 2026 21:48:54.123 # text". Matching is on words that have
// not changed from Redis 6 to Valkey 8; a line it does not know still ends up in the reason.
#include "daemon/redis/redis_log.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq {
namespace {

constexpr std::string_view kLevels = ".-*#";
constexpr size_t kReasonBytes = 300;

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

bool any_contains(const std::deque<std::string>& lines, std::string_view part) {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return contains(line, part); });
}

bool data_damaged(const std::deque<std::string>& tail) {
    for (std::string_view sign : {"redis-check-aof", "valkey-check-aof", "Unrecoverable error",
                                  "rdb file reading failure", "Wrong signature trying to load"})
        if (any_contains(tail, sign)) return true;
    return false;
}

// The last thing Redis complained of. "WARNING"s at its start are about the host.
std::string last_complaint(const std::deque<std::string>& tail) {
    std::string found;
    for (size_t n = 0; n < tail.size(); ++n) {
        if (contains(tail[n], "FATAL CONFIG FILE ERROR")) {
            found.clear();
            for (size_t rest = n + 1; rest < tail.size(); ++rest)
                found += (found.empty() ? "" : " ") + printable(tail[rest]);
            break;
        }
        auto line = parse_redis_log(tail[n]);
        if (line.level == '#' && !line.text.empty() && !line.text.starts_with("WARNING"))
            found = line.text;
    }
    return std::string(utf8_prefix(to_utf8(found), kReasonBytes));
}

}  // namespace

RedisLogLine parse_redis_log(std::string_view line) {
    RedisLogLine parsed;
    // pid:role day month year time mark text
    size_t at = 0;
    for (int field = 0; field < 5 && at != std::string_view::npos; ++field) {
        at = line.find(' ', at);
        if (at != std::string_view::npos) ++at;
    }
    bool known = at != std::string_view::npos && at + 1 < line.size() && line[at + 1] == ' ' &&
                 kLevels.find(line[at]) != std::string_view::npos;
    parsed.level = known ? line[at] : '#';
    parsed.text = to_utf8(printable(trim(known ? line.substr(at + 2) : line)));
    return parsed;
}

bool says_ready(std::string_view line) {
    // "Ready to accept connections", "The server is now ready to accept connections at ..."
    return contains(line, "eady to accept connections");
}

Error reason_from_log(const std::deque<std::string>& tail, const std::string& how,
                      const std::string& redis_dir) {
    std::string text = "the private Redis " + how;
    // A write that was cut short is the first sign of a full disk; Redis ends before the second.
    if (any_contains(tail, "No space left on device") || any_contains(tail, "Disk quota") ||
        any_contains(tail, "Short write while writing to the AOF file"))
        return Error{ErrorCode::storage_full,
                     text + ": the disk that holds " + redis_dir +
                         " is full: free some space, jobqd goes on by itself"};
    if (data_damaged(tail))
        return Error{ErrorCode::corrupt, text + ": its data are damaged: copy " + redis_dir +
                                             " to a safe place, then run: redis-check-aof --fix " +
                                             redis_dir + "/appendonlydir/appendonly.aof.manifest"};
    std::string complaint = last_complaint(tail);
    if (!complaint.empty()) text += ": " + complaint;
    return Error{ErrorCode::config, text};
}

}  // namespace jobq
