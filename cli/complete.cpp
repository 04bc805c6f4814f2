// Completion: the shipped scripts, and the hidden verb `__complete` that they call.
//
// `jobq __complete WORD...` gets the words after "jobq" up to and with the one under the cursor
// (which may be empty). It answers with one candidate a line, a tab and a description after those
// that have one; a line ":files" or ":directories" asks the shell for names of its own.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "cli/all_verbs.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "core/base/text.h"
#include "core/job/state.h"

namespace jobq::cli {

// The files of completions/, in a source that embed_completions.cmake makes.
extern const std::string_view kBashCompletion, kZshCompletion, kFishCompletion;

namespace {

constexpr int64_t kDaemonMs = 100;  // a shell waits for the answer
constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};
constexpr std::array<std::string_view, 3> kFormats{"text", "json", "jsonl"};
constexpr std::array<std::string_view, 5> kProfileFormats{"text", "folded", "svg", "pb", "pprof"};

class Completer {
  public:
    Completer(Output& out, std::vector<std::string> words) : out_(out), words_(std::move(words)) {
        if (words_.empty()) words_.emplace_back();
        current_ = words_.back();
        words_.pop_back();
    }

    void run();

  private:
    void offer(std::string_view word, std::string_view description = {});
    void offer_values(Takes takes);
    void offer_queues();
    void offer_options();
    void offer_first_words();
    void find_verb_words();

    Output& out_;
    std::vector<std::string> words_;  // before the one under the cursor
    std::string current_;
    std::string head_;  // "--option=" before the current value, "" otherwise
    std::string server_;
    const Verb* verb_ = nullptr;
    std::string group_;  // "queue" when its second word is still to come
    size_t positionals_ = 0;
};

void Completer::offer(std::string_view word, std::string_view description) {
    if (!word.starts_with(current_)) return;
    out_.raw(head_);
    out_.raw(word);
    if (!description.empty()) {
        out_.raw("\t");
        out_.raw(description);
    }
    out_.raw("\n");
}

void Completer::offer_queues() {
    auto client = Client::connect(Target{server_, "", ""}, kDaemonMs);
    if (!client) return;
    const auto reply = client->call("QUEUES", "{}", kDaemonMs);
    if (!reply) return;
    for (const JsonView queue : JsonView(*reply)["queues"].items())
        offer(printable(queue["name"].text()), queue["size"].text() + " jobs");
}

void Completer::offer_first_words() {
    std::string_view last;
    for (const Verb* verb : verbs()) {
        if (verb->hidden) continue;
        const std::string_view word = verb->name.substr(0, verb->name.find(' '));
        if (word == last) continue;
        last = word;
        std::string summary(verb->summary);
        if (is_group(word)) {
            summary.clear();
            for (const auto second : group_words(word))
                summary += (summary.empty() ? "" : ", ") + std::string(second);
        }
        offer(word, summary);
    }
}

void Completer::offer_values(Takes takes) {
    switch (takes) {
        case Takes::queue:
            offer_queues();
            break;
        case Takes::state:
            for (const auto state : kStateNames)
                offer(state);
            break;
        case Takes::format:
            for (const auto format : kFormats)
                offer(format);
            break;
        case Takes::profile_format:
            for (const auto format : kProfileFormats)
                offer(format);
            break;
        case Takes::shell:
            for (const auto shell : kShells)
                offer(shell);
            break;
        case Takes::verb:
            offer_first_words();
            break;
        case Takes::payload:
        case Takes::file:
        case Takes::command:
            out_.line(":files");
            break;
        case Takes::directory:
            out_.line(":directories");
            break;
        case Takes::text:
        case Takes::nothing:
            break;
    }
}

void Completer::offer_options() {
    if (verb_ == nullptr) {
        for (const auto& option : common_options())
            offer(option.name, option.help);
        return;
    }
    each_option(*verb_, [this](const Option& option) { offer(option.name, option.help); });
}

// Walks the words before the cursor: finds the verb, and an option that still wants its value,
// which it completes. Sets positionals_ and the server.
void Completer::find_verb_words() {
    for (size_t i = 0; i < words_.size(); ++i) {
        const std::string& word = words_[i];
        if (word.size() > 1 && word[0] == '-' && word != "--") {
            const Option* option = find_option(verb_, word);
            if (option != nullptr && !option->value.empty() && i + 1 < words_.size()) {
                ++i;
                if (option->name == "--server") server_ = words_[i];
            }
            if (word.starts_with("--server=")) server_ = word.substr(9);
            continue;
        }
        if (verb_ == nullptr && group_.empty() && is_group(word)) {
            group_ = word;
        } else if (!group_.empty()) {
            verb_ = find_verb(group_ + " " + word);
            group_.clear();
        } else if (verb_ == nullptr) {
            verb_ = find_verb(word);
        } else {
            ++positionals_;
        }
    }
}

void Completer::run() {
    find_verb_words();
    if (!words_.empty()) {
        const Option* before = find_option(verb_, words_.back());
        if (before != nullptr && !before->value.empty()) return offer_values(before->takes);
    }
    if (const size_t equals = current_.find('=');
        current_.starts_with("--") && equals != std::string::npos) {
        head_ = current_.substr(0, equals + 1);
        const Option* option = find_option(verb_, current_.substr(0, equals));
        current_ = current_.substr(equals + 1);
        if (option != nullptr) offer_values(option->takes);
        return;
    }
    const bool after_dashes = std::find(words_.begin(), words_.end(), "--") != words_.end();
    if (verb_ != nullptr && verb_->command && after_dashes) return offer_values(Takes::command);
    const bool command_begun = verb_ == &kRun && positionals_ > 0;
    if (current_.starts_with('-') && !command_begun) return offer_options();
    if (verb_ == nullptr && group_.empty()) return offer_first_words();
    if (!group_.empty()) {
        for (const auto second : group_words(group_))
            offer(second, find_verb(group_ + " " + std::string(second))->summary);
        return;
    }
    if (verb_->max_words >= 0 && positionals_ >= size_t(verb_->max_words)) return;
    offer_values(verb_->words);
}

Answer<int> run_complete(Invocation& invocation) {
    Completer(invocation.out, invocation.args.words).run();
    return kDone;
}

Answer<int> run_completion(Invocation& invocation) {
    const std::string& shell = invocation.args.words.front();
    if (shell == "bash") {
        invocation.out.raw(kBashCompletion);
    } else if (shell == "zsh") {
        invocation.out.raw(kZshCompletion);
    } else if (shell == "fish") {
        invocation.out.raw(kFishCompletion);
    } else {
        const std::string_view best = nearest(shell, {kShells.begin(), kShells.end()});
        return give_up(kUsage,
                       "no completion for the shell '" + printable(shell) + "'" +
                           (best.empty() ? "" : "; did you mean '" + std::string(best) + "'?"),
                       "use bash, zsh or fish");
    }
    return kDone;
}

}  // namespace

const Verb kCompletion{.name = "completion",
                       .usage = "bash|zsh|fish",
                       .summary = "Print a completion script for a shell",
                       .examples =
                           "eval \"$(jobq completion bash)\"\n"
                           "jobq completion fish > ~/.config/fish/completions/jobq.fish",
                       .options = {},
                       .more = {},
                       .min_words = 1,
                       .max_words = 1,
                       .words = Takes::shell,
                       .run = run_completion};

const Verb kComplete{.name = "__complete",
                     .usage = "WORD...",
                     .summary = "Print the candidates for the last word",
                     .examples = "",
                     .options = {},
                     .more = {},
                     .max_words = -1,
                     .run = run_complete,
                     .hidden = true};

}  // namespace jobq::cli
