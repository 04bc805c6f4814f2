// What a child of a child pool is given and says, and the payload of a job of type `run`: structs
// and their JSON. Shapes in jobqd(8). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/protocol/runner_messages.h"

namespace jobq {

// The payload of a job of type `run`.
struct RunRequest {
    std::vector<std::string> argv;
    std::string cwd;
    std::map<std::string, std::string> env;
    std::string input;  // its stdin
    std::optional<int> umask;
};

// One line of a child of a child pool.
struct ChildMessage {
    enum class Kind : uint8_t { progress, success, failure } kind = Kind::progress;
    std::string jid;
    std::string result;             // success: JSON text, as it came
    std::string error, error_kind;  // failure
    bool retry = true;              // failure
    int64_t progress = 0;           // progress, in percent
    std::string note;               // progress
};

// The line that a child gets: the payload is spliced in as it is, less its line breaks.
std::string write_child_job(const TakenJob& job);
// bad_data, with what is wrong.
Result<ChildMessage> read_child_message(std::string_view line);
Result<RunRequest> read_run_request(std::string_view payload);

}  // namespace jobq
