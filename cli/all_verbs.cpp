#include "cli/all_verbs.h"

#include <algorithm>
#include <array>

#include "cli/line/verb_list.h"

namespace jobq::cli {
namespace {

constexpr std::array kVerbs{
    &kEnqueue,      &kRun,           &kStatus,      &kWhy,          &kHistory,      &kWait,
    &kResult,       &kLogs,          &kList,        &kCancel,       &kRetry,        &kRelease,
    &kRm,           &kRetryDead,     &kQueueList,   &kQueuePause,   &kQueueResume,  &kQueueClear,
    &kQueueLatency, &kStats,         &kTop,         &kWorkersList,  &kWorkersQuiet, &kWorkersStop,
    &kWork,         &kProfileCpu,    &kProfileHeap, &kProfileTasks, &kEvents,       &kLoadgen,
    &kDoctor,       &kImportFaktory, &kPing,        &kConfigCheck,  &kConfigShow,   &kCompletion,
    &kVersion,      &kHelp,          &kComplete};

constexpr std::array kCommon{
    Option{"--server", "", "ADDRESS",
           "address of the daemon: unix:PATH, tcp://HOST:PORT or tcp+tls://HOST:PORT", Takes::text},
    Option{"--password-file", "", "FILE", "file with the daemon's password, for TCP", Takes::file},
    Option{"--ca-file", "", "FILE", "TLS authorities to trust instead of the system's",
           Takes::file},
    Option{"--output", "-o", "FORMAT", "text, json (one document) or jsonl (one object per line)",
           Takes::format},
    Option{"--json", "", "", "same as -o json", Takes::nothing},
    Option{"--quiet", "-q", "", "print only ids, without remarks", Takes::nothing},
    Option{"--help", "-h", "", "show help", Takes::nothing},
};

// Shrinks as the product grows. Nothing here is shown as if it worked.
constexpr std::array kNotYet{
    NotYet{"cron", "", "put `jobq enqueue TYPE` in a crontab(5) line"},
    NotYet{"key", "",
           "protect the Unix socket with its file mode and TCP with a password in JOBQ_URL"},
    NotYet{"enqueue", "--after", "use `jobq wait JID && jobq enqueue TYPE`"},
    NotYet{"run", "--after", "use `jobq wait JID && jobq run -- CMD`"},
};

std::string_view first_word(std::string_view name) {
    return name.substr(0, name.find(' '));
}

}  // namespace

std::span<const Verb* const> verbs() {
    return kVerbs;
}

std::span<const Option> common_options() {
    return kCommon;
}

const Verb* find_verb(std::string_view name) {
    for (const Verb* verb : kVerbs)
        if (verb->name == name) return verb;
    return nullptr;
}

bool is_group(std::string_view word) {
    return !group_words(word).empty();
}

std::vector<std::string_view> group_words(std::string_view group) {
    std::vector<std::string_view> words;
    for (const Verb* verb : kVerbs)
        if (verb->name.size() > group.size() && first_word(verb->name) == group)
            words.push_back(verb->name.substr(group.size() + 1));
    return words;
}

std::vector<std::string_view> first_words() {
    std::vector<std::string_view> words;
    for (const Verb* verb : kVerbs) {
        const std::string_view word = first_word(verb->name);
        if (!verb->hidden && (words.empty() || words.back() != word)) words.push_back(word);
    }
    return words;
}

const Option* find_option(const Verb* verb, std::string_view name) {
    const auto is_it = [name](const Option& option) {
        return option.name == name || (!option.letter.empty() && option.letter == name);
    };
    for (const auto& option : kCommon)
        if (is_it(option)) return &option;
    if (verb == nullptr) return nullptr;
    for (const auto list : {verb->options, verb->more})
        for (const auto& option : list)
            if (is_it(option)) return &option;
    return nullptr;
}

const NotYet* find_not_yet(std::string_view verb, std::string_view option) {
    for (const auto& row : kNotYet)
        if (row.verb == verb && row.option == option) return &row;
    return nullptr;
}

}  // namespace jobq::cli
