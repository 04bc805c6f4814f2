// Input: what a person hands to a verb: a payload from a file, stdin or the command line, and ids
// from arguments or stdin.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/base/failure.h"

namespace jobq::cli {

// The payload's JSON text, checked by check_payload(), as it was given (without a byte order mark).
// `word` is FILE, "-" or JSON. Failures say what was tried: 66 for no such file, 65 for bad data.
Answer<std::string> read_payload(const std::string& word);
// What somebody piped to this program: from stdin when it is a pipe, socket or file that holds
// something; else "". A stdin that the caller has as well, as in a loop over lines or in a job, was
// given to the caller: it is left alone. Says on stderr what it does.
Answer<std::string> read_piped_payload(bool quiet);
// All of stdin, under the same conditions: bytes for a command that runs as a job. More than
// kRunInputBytes fail: they go with the payload, and base 64 adds a third.
inline constexpr size_t kRunInputBytes = 512 << 10;
Answer<std::string> read_piped_bytes(bool quiet);
// The member of an ENQUEUE request that carries the payload: `"payload":...`, or `"payload_text"`
// when it has line breaks (a request is one line).
std::string payload_member(const std::string& payload);

// Calls `take` with the ids of `words`, in groups; "-" stands for the lines of stdin, read as they
// come; no id at all is a failure. A failure of `take` ends it.
Answer<> each_ids(const std::vector<std::string>& words,
                  const std::function<Answer<>(const std::vector<std::string>&)>& take);

// Asks on the terminal. Without one, or when stdin is used for ids, `yes` (--yes) must be set.
Answer<> confirm(bool yes, const std::string& question, const std::vector<std::string>& words);

}  // namespace jobq::cli
