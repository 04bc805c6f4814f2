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

struct Damage {
    std::string_view sign, also;  // both in one line
    std::string (*text)(const std::string& redis_dir);
};

std::string damaged_commands(const std::string& redis_dir) {
    return "its data are damaged; copy " + redis_dir +
           " to a safe place, then run: redis-check-aof --fix " + redis_dir +
           "/appendonlydir/appendonly.aof.manifest";
}

// Where nothing can mend them.
std::string give_up_data(const std::string& redis_dir) {
    return "restore " + redis_dir +
           " from a backup, or run this command to continue without these data: mv " + redis_dir +
           " " + redis_dir + ".damaged";
}

// redis-check-aof finds nothing wrong there: the form is right.
std::string unknown_command(const std::string& redis_dir) {
    return "its data are damaged and contain an invalid command; " + give_up_data(redis_dir);
}

std::string damaged_base(const std::string& redis_dir) {
    return "its data are damaged in a part that can't be repaired; " + give_up_data(redis_dir);
}

std::string other_version(const std::string& redis_dir) {
    return "its data were written by a newer Redis or are damaged; install that Redis again, or " +
           give_up_data(redis_dir);
}

// In this order: some are said together.
constexpr Damage kDamages[] = {
    {"Unknown command", "", unknown_command},
    {"AOF MANIFEST FILE ERROR", "", damaged_manifest},
    {"Unable to obtain the AOF file", "", damaged_manifest},
    {"Found an empty AOF manifest", "", damaged_manifest},
    {"Checking RDB file", "", damaged_base},
    {"Can't handle RDB format version", "", other_version},
    {"Data file was created with a Redis server configured", "", damaged_base},
    {"The RDB file contains module data", "", damaged_base},
    {"RDB CRC error", "", damaged_base},
    {"rdb file reading failure", "", damaged_base},
    {"Wrong signature trying to load", "", damaged_base},
    {"Error reading the RDB preamble", "", damaged_base},
    {"reading the append only file", ".base.", damaged_base},
    {"redis-check-aof", "", damaged_commands},
    {"valkey-check-aof", "", damaged_commands},
    {"Unrecoverable error", "", damaged_commands},
};

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

std::string damaged_manifest(const std::string& redis_dir) {
    return "its data are damaged: " + redis_dir +
           "/appendonlydir/appendonly.aof.manifest does not match the files beside it; restore " +
           redis_dir +
           " from a backup, or copy it to a safe place and correct the manifest: it must have a "
           "line "
           "\"file "
           "NAME seq N type b\" for the .base. file, then one of type i for each .incr. file";
}

Error reason_from_log(const std::deque<std::string>& tail, const std::string& how,
                      const std::string& redis_dir) {
    std::string text = "the private Redis " + how;
    // A write that was cut short is the first sign of a full disk; Redis ends before the second.
    if (any_contains(tail, "No space left on device") || any_contains(tail, "Disk quota") ||
        any_contains(tail, "Short write while writing to the AOF file"))
        return Error{ErrorCode::storage_full,
                     text + ": the disk that holds " + redis_dir +
                         " is full; free some space, and jobqd continues by itself"};
    for (const auto& damage : kDamages)
        if (std::any_of(tail.begin(), tail.end(), [&](const std::string& line) {
                return contains(line, damage.sign) && contains(line, damage.also);
            }))
            return Error{ErrorCode::corrupt, text + ": " + damage.text(redis_dir)};
    std::string complaint = last_complaint(tail);
    if (!complaint.empty()) text += ": " + complaint;
    return Error{ErrorCode::config, text};
}

}  // namespace jobq
