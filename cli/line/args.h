// Args: the parsed command line of one verb. Options are asked for by the name of the table; a name
// that the verb does not have is a bug and ends the program.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/base/failure.h"
#include "cli/line/verb.h"

namespace jobq::cli {

struct Args {
    const Verb* verb = nullptr;
    std::vector<std::string> words;    // positional arguments
    std::vector<std::string> command;  // what followed "--", of verbs that take a command there
    std::map<std::string, std::vector<std::string>, std::less<>> options;

    bool has(std::string_view name) const;
    // The last value given, or "".
    const std::string& text(std::string_view name) const;
    const std::vector<std::string>& all(std::string_view name) const;

    // nullopt when the option was not given; a usage failure names option, value and form.
    Answer<std::optional<int64_t>> number(std::string_view name, int64_t least, int64_t most) const;
    Answer<std::optional<int64_t>> duration_ms(std::string_view name) const;
    // RFC 3339 or "in 5m"; milliseconds since the epoch.
    Answer<std::optional<int64_t>> time_ms(std::string_view name) const;
};

}  // namespace jobq::cli
