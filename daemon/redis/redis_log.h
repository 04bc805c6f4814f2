// What the private Redis's log means: pure functions on its lines, for PrivateRedis.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct RedisLogLine {
    char level = '*';  // '.', '-', '*', '#'; lines without a mark (a crash report) are '#'
    std::string text;  // without pid, role and time; printable
};

RedisLogLine parse_redis_log(std::string_view line);
bool says_ready(std::string_view line);
// Why Redis ended, from the last lines of its log. corrupt: it can't read its data; storage_full:
// no space; config otherwise. `how` is "ended with status 1" or the like.
Error reason_from_log(const std::deque<std::string>& tail, const std::string& how,
                      const std::string& redis_dir);
// What is wrong with a manifest of append-only files, and what to do.
std::string damaged_manifest(const std::string& redis_dir);

}  // namespace jobq
