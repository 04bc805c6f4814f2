// parse(): argv into Args. Finds the verb, lets CLI11 take the options apart, and says in plain
// words what is wrong, with the nearest right verb or option. Every failure is a usage failure but
// bytes that are not UTF-8 (bad data).
#pragma once

#include <string>
#include <vector>

#include "cli/line/args.h"
#include "cli/terminal/output.h"

namespace jobq::cli {

struct Parsed {
    Args args;  // verb null: jobq alone, or with --help or --version alone
    bool help = false;
    bool version = false;
    std::string help_topic;  // with help: the verb's or group's words, "" for all
    Format format = Format::text;
};

Answer<Parsed> parse(const std::vector<std::string>& tokens);

}  // namespace jobq::cli
