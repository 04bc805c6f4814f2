// Verb: one word (or two) of the command line, with its options, help and code.
//
// Each verb's file defines one or more of these as constants; verbs.cpp lists them. Everything that
// speaks about the command line reads this table: the parser, --help, completion, and the test that
// compares it with jobq(1).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "cli/base/failure.h"

namespace jobq::cli {

class Invocation;

// What an option or argument takes; completion offers accordingly.
enum class Takes : uint8_t {
    nothing,
    text,
    payload,
    file,
    directory,
    queue,
    state,
    format,
    profile_format,
    shell,
    verb,
    command
};

struct Option {
    std::string_view name;    // "--queue"
    std::string_view letter;  // "-q", or ""
    std::string_view value;   // "NAME" as help shows it; "" for a flag
    std::string_view help;
    Takes takes = Takes::text;
};

struct Verb {
    std::string_view name;      // "enqueue", "queue pause"
    std::string_view usage;     // of the arguments: "TYPE", "QUEUE..."
    std::string_view summary;   // one line
    std::string_view examples;  // whole lines
    std::span<const Option> options;
    std::span<const Option> more;  // shared with another verb
    int min_words = 0;
    int max_words = 0;  // -1: any number
    Takes words = Takes::text;
    Answer<int> (*run)(Invocation&) = nullptr;
    bool hidden = false;
    bool command = false;  // takes a command after "--", in Args::command
};

}  // namespace jobq::cli
