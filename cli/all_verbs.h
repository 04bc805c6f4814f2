// The table of all verbs, and of the words jobq knows but can't do yet.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/line/verb.h"

namespace jobq::cli {

// In the order help shows them.
std::span<const Verb* const> verbs();
const Verb* find_verb(std::string_view name);
// "queue", "workers", "config": the first words of verbs of two words.
bool is_group(std::string_view word);
// The second words of a group.
std::vector<std::string_view> group_words(std::string_view group);
// First words of all verbs that help shows.
std::vector<std::string_view> first_words();

// Options every verb takes.
std::span<const Option> common_options();

// Calls `see(option)` for the options of `verb` and the common ones.
template <class See>
void each_option(const Verb& verb, See see) {
    for (const auto& option : verb.options)
        see(option);
    for (const auto& option : verb.more)
        see(option);
    for (const auto& option : common_options())
        see(option);
}

// By "--name" or "-x"; null when the verb has none such.
const Option* find_option(const Verb* verb, std::string_view name);

// A verb or option of the product that a later version brings: what works today instead.
struct NotYet {
    std::string_view verb;    // "" for any
    std::string_view option;  // "" when the verb itself is meant
    std::string_view instead;
};

const NotYet* find_not_yet(std::string_view verb, std::string_view option);

}  // namespace jobq::cli
