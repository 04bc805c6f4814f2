// A flame graph of call stacks as one SVG file: readable without scripts; with them a click zooms
// and a search marks.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jobq::cli {

// Names from the outermost function to the innermost, and what was counted there.
using Stacks = std::map<std::vector<std::string>, double>;

// `words(value)` says an amount for people: "12 samples", "3.4 MiB".
std::string flame_graph(const Stacks& stacks, std::string_view title,
                        std::string (*words)(double value));

}  // namespace jobq::cli
