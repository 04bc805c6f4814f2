#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/all_verbs.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

using Tokens = std::vector<std::string>;

// How many of the tokens from `at` one option and its value take; 0 when a bare word or "--" is
// there. An option nobody knows counts as a flag.
size_t option_tokens(const Verb* verb, const Tokens& tokens, size_t at) {
    const std::string& token = tokens[at];
    if (token.size() < 2 || token[0] != '-' || token == "--") return 0;
    if (token[1] == '-') {
        if (token.find('=') != std::string::npos) return 1;
        const Option* option = find_option(verb, token);
        return option != nullptr && !option->value.empty() ? 2 : 1;
    }
    for (size_t i = 1; i < token.size(); ++i) {
        const Option* option = find_option(verb, std::string{'-', token[i]});
        if (option == nullptr) return 1;
        if (!option->value.empty()) return i + 1 == token.size() ? 2 : 1;
    }
    return 1;
}

// The index of the first bare word at or after `from`, or of "--", or the end.
size_t first_bare(const Verb* verb, const Tokens& tokens, size_t from) {
    size_t at = from;
    while (at < tokens.size()) {
        const size_t step = option_tokens(verb, tokens, at);
        if (step == 0) break;
        at += step;
    }
    return std::min(at, tokens.size());
}

std::string meant(std::string_view word, const std::vector<std::string_view>& known) {
    const std::string_view best = nearest(word, known);
    return best.empty() ? std::string() : "; did you mean '" + std::string(best) + "'?";
}

tl::unexpected<Failure> unknown_verb(const std::string& word) {
    if (const NotYet* later = find_not_yet(word, ""); later != nullptr)
        return give_up(kUsage, "'" + word + "' is not available in this version yet",
                       std::string(later->instead));
    auto known = first_words();
    return give_up(kUsage, "'" + printable(word) + "' is not a jobq verb" + meant(word, known),
                   "`jobq help` lists all verbs");
}

tl::unexpected<Failure> unknown_option(const Verb& verb, const std::string& token) {
    const std::string name = token.substr(0, token.find('='));
    const std::string help = "`jobq help " + std::string(verb.name) + "` lists its options";
    if (const NotYet* later = find_not_yet(verb.name, name); later != nullptr)
        return give_up(
            kUsage,
            name + " of `jobq " + std::string(verb.name) + "` is not available in this version yet",
            std::string(later->instead));
    std::vector<std::string_view> known;
    each_option(verb, [&known](const Option& option) { known.push_back(option.name); });
    return give_up(kUsage,
                   "`jobq " + std::string(verb.name) + "` has no option " + printable(name) +
                       meant(name, known),
                   help);
}

struct Found {
    const Verb* verb = nullptr;
    std::string topic;  // the words as typed: "queue" too when it stands for "queue list"
    Tokens rest;        // without the verb's words
};

// Takes the verb's one or two words out of the tokens.
Answer<Found> find_words(const Tokens& tokens) {
    Found found;
    found.rest = tokens;
    const size_t at = first_bare(nullptr, tokens, 0);
    if (at == tokens.size() || tokens[at] == "--") return found;
    const std::string word = tokens[at];
    found.topic = word;
    found.rest.erase(found.rest.begin() + std::ptrdiff_t(at));
    found.verb = find_verb(word);
    if (found.verb != nullptr) return found;
    if (!is_group(word)) return unknown_verb(word);
    const size_t next = first_bare(nullptr, found.rest, at);
    if (next == found.rest.size() || found.rest[next] == "--") {
        found.verb = find_verb(word + " list");
        return found;
    }
    const std::string second = found.rest[next];
    found.topic += " " + second;
    found.verb = find_verb(found.topic);
    if (found.verb == nullptr)
        return give_up(kUsage,
                       "'" + printable(second) + "' is not a verb of `jobq " + word + "`" +
                           meant(second, group_words(word)),
                       "`jobq help " + word + "` lists them");
    found.rest.erase(found.rest.begin() + std::ptrdiff_t(next));
    return found;
}

Answer<> check_text(const Tokens& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i)
        if (!is_utf8(tokens[i]))
            return give_up(kBadData, "argument " + std::to_string(i + 1) + " is not valid UTF-8",
                           "put the payload in a file, or convert it with iconv(1)");
    return {};
}

// Each option that takes a value has one. CLI11 would take the next option for it.
Answer<> check_values(const Verb& verb, const Tokens& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) {
        const std::string& token = tokens[i];
        const size_t equals = token.find('=');
        if (token.starts_with("--") && equals > 2 && equals + 1 == token.size())
            return give_up(kUsage, printable(token.substr(0, equals)) + " has an empty value");
        const Option* option = find_option(&verb, token);
        if (option == nullptr || option->value.empty()) continue;
        const std::string name(option->name);
        const bool last = i + 1 == tokens.size();
        if (last || find_option(&verb, tokens[i + 1]) != nullptr)
            return give_up(
                kUsage, name + " requires a value: " + name + " " + std::string(option->value),
                last ? "`jobq help " + std::string(verb.name) + "` shows the options"
                     : "for a value that is the name of an option, write " + name + "=VALUE");
        ++i;
    }
    return {};
}

// CLI11 fills `args.options`; what it does not know comes back.
Answer<Tokens> take_options(const Verb& verb, Tokens tokens, Args& args) {
    CLI::App app;
    app.set_help_flag("");
    app.allow_extras();
    std::vector<std::pair<std::string_view, CLI::Option*>> handles;
    each_option(verb, [&](const Option& option) {
        std::string names(option.name);
        if (!option.letter.empty()) names += "," + std::string(option.letter);
        // No variable is bound: CLI11's conversions split [1,2] and swallow {}.
        CLI::Option* handle = option.value.empty()
                                  ? app.add_flag(names)
                                  : app.add_option(names)->expected(1)->multi_option_policy(
                                        CLI::MultiOptionPolicy::TakeAll);
        handles.emplace_back(option.name, handle);
    });
    if (const auto checked = check_values(verb, tokens); !checked)
        return tl::unexpected(checked.error());
    std::reverse(tokens.begin(), tokens.end());  // CLI11 takes them from the back
    try {
        app.parse(std::move(tokens));
    } catch (const CLI::ParseError& error) {
        return give_up(kUsage, printable(error.what()),
                       "`jobq help " + std::string(verb.name) + "` shows the options");
    }
    for (const auto& [name, handle] : handles)
        args.options.emplace(std::string(name), handle->results());
    return app.remaining();
}

Answer<> check_words(const Verb& verb, const std::vector<std::string>& words) {
    const std::string call = "jobq " + std::string(verb.name) +
                             (verb.usage.empty() ? "" : " " + std::string(verb.usage));
    const int count = int(words.size());
    if (count < verb.min_words)
        return give_up(kUsage,
                       "`jobq " + std::string(verb.name) + "` needs more arguments: " + call,
                       "`jobq help " + std::string(verb.name) + "` has examples");
    if (verb.max_words >= 0 && count > verb.max_words)
        return give_up(kUsage,
                       "`jobq " + std::string(verb.name) + "` does not take '" +
                           printable(utf8_prefix(words[size_t(verb.max_words)], 100)) +
                           "'; usage: " + call,
                       verb.name == "enqueue" ? "give the payload with --payload FILE|-|JSON" : "");
    return {};
}

// -o is a format everywhere; where a verb writes files, a word with a dot or slash is one's name.
void take_out_file(Args& args) {
    if (find_option(args.verb, "--out") == nullptr || args.has("--out")) return;
    if (args.text("--output").find_first_of("./") == std::string::npos) return;
    std::swap(args.options["--out"], args.options["--output"]);
}

Answer<> take_format(Parsed& parsed) {
    take_out_file(parsed.args);
    if (parsed.args.has("--json")) parsed.format = Format::json;
    if (!parsed.args.has("--output")) return {};
    const std::string& name = parsed.args.text("--output");
    if (name == "text") {
        parsed.format = Format::text;
    } else if (name == "json") {
        parsed.format = Format::json;
    } else if (name == "jsonl") {
        parsed.format = Format::jsonl;
    } else if (name == "raw" && parsed.args.verb->name == "result") {
        parsed.format = Format::raw;
    } else {
        return give_up(kUsage, "--output: '" + printable(name) +
                                   "' is not one of text, json and jsonl" +
                                   meant(name, {"text", "json", "jsonl"}));
    }
    return {};
}

bool has_token(const Tokens& tokens, std::string_view one, std::string_view other) {
    return std::any_of(tokens.begin(), tokens.end(),
                       [&](const std::string& token) { return token == one || token == other; });
}

}  // namespace

Answer<Parsed> parse(const std::vector<std::string>& all) {
    Parsed parsed;
    auto found = find_words(all);
    if (!found) return tl::unexpected(found.error());
    parsed.help_topic = found->topic;
    parsed.args.verb = found->verb;
    const Verb* verb = found->verb;
    Tokens tokens = std::move(found->rest);
    Tokens after;
    // What follows the options of `run` is the command; "--" ends the options of every verb.
    const bool command = verb != nullptr && verb->words == Takes::command;
    const auto cut = command ? tokens.begin() + std::ptrdiff_t(first_bare(verb, tokens, 0))
                             : std::find(tokens.begin(), tokens.end(), "--");
    if (cut != tokens.end()) {
        after.assign(*cut == "--" ? cut + 1 : cut, tokens.end());
        tokens.erase(cut, tokens.end());
    }
    parsed.help = has_token(tokens, "--help", "-h");
    if (verb == nullptr) {
        parsed.version = has_token(tokens, "--version", "-V");
        if (parsed.help || parsed.version || all.empty()) return parsed;
        if (!parsed.help_topic.empty())
            return give_up(kUsage, "`jobq " + parsed.help_topic + "` needs a verb",
                           "`jobq help " + parsed.help_topic + "` lists them");
        return give_up(kUsage, "no verb on the command line", "`jobq help` lists all verbs");
    }
    if (parsed.help) return parsed;
    if (const auto checked = check_text(all); !checked) return tl::unexpected(checked.error());
    auto words = take_options(*verb, std::move(tokens), parsed.args);
    if (!words) return tl::unexpected(words.error());
    for (const auto& word : *words)
        if (word.size() > 1 && word[0] == '-') return unknown_option(*verb, word);
    parsed.args.words = std::move(*words);
    auto& rest = verb->command ? parsed.args.command : parsed.args.words;
    rest.insert(rest.end(), after.begin(), after.end());
    if (const auto checked = check_words(*verb, parsed.args.words); !checked)
        return tl::unexpected(checked.error());
    if (const auto format = take_format(parsed); !format) return tl::unexpected(format.error());
    return parsed;
}

}  // namespace jobq::cli
