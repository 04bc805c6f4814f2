#include "cli/help.h"

#include <string_view>

#include "cli/all_verbs.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr size_t kNameColumn = 24;

void print_option(Output& out, const Option& option) {
    std::string left = option.letter.empty() ? "      " : "  " + std::string(option.letter) + ", ";
    left += option.name;
    if (!option.value.empty()) left += " " + std::string(option.value);
    constexpr size_t kOptionColumn = 32;
    if (left.size() >= kOptionColumn) {
        out.line(left);
        left.clear();
    }
    out.line(padded(left, kOptionColumn) + std::string(option.help));
}

std::string call_of(const Verb& verb) {
    std::string call = "jobq " + std::string(verb.name);
    if (!verb.options.empty() || !verb.more.empty()) call += " [OPTIONS]";
    if (!verb.usage.empty()) call += " " + std::string(verb.usage);
    return call;
}

void print_verb(Output& out, const Verb& verb) {
    out.line(std::string(verb.summary) + ".\n");
    for (const auto line : split(verb.examples, '\n'))
        out.line("  $ " + std::string(line));
    out.line("\nUsage: " + call_of(verb));
    if (!verb.options.empty() || !verb.more.empty()) {
        out.line("\nOptions:");
        for (const auto list : {verb.options, verb.more})
            for (const auto& option : list)
                print_option(out, option);
    }
    out.line("\nOptions of every verb:");
    for (const auto& option : common_options())
        print_option(out, option);
    out.line("\nSee jobq(1) for details; `jobq help exit` lists the exit statuses.");
}

void print_group(Output& out, const std::string& group) {
    out.line("Usage: jobq " + group + " VERB ...\n");
    for (const auto word : group_words(group)) {
        const Verb* verb = find_verb(group + " " + std::string(word));
        out.line("  " + padded("jobq " + std::string(verb->name), kNameColumn) +
                 std::string(verb->summary));
    }
    out.line("\n`jobq help " + group + " VERB` shows details.");
}

void print_all(Output& out) {
    out.line("jobq enqueues, watches and repairs background jobs.\n");
    out.line("  $ jobq enqueue email --payload mail.json --wait");
    out.line("  $ jobq run --wait -- ./nightly.sh");
    out.line("  $ jobq list --state dead -q | jobq retry -\n");
    out.line("Usage: jobq VERB [OPTIONS] ...\n");
    for (const Verb* verb : verbs())
        if (!verb->hidden)
            out.line("  " + padded(verb->name, kNameColumn) + std::string(verb->summary));
    out.line("\nOptions of every verb:");
    for (const auto& option : common_options())
        print_option(out, option);
    out.line("\n`jobq help VERB` shows details; `jobq help exit` lists the exit statuses.");
    out.line("jobq looks for the daemon at --server, $JOBQ_URL, then the default sockets.");
}

void print_exit(Output& out) {
    out.line("Exit statuses of jobq:\n");
    for (const auto& row : exit_table())
        out.line("  " + padded(std::to_string(row.status), 5) + std::string(row.meaning));
    out.line(
        "\n`run --wait` and `wait` with one id return the job's own status: its exit code,\n128 + "
        "N if signal N ended it, 124 if it ran into its time limit.");
}

Answer<int> run_help(Invocation& invocation) {
    std::string topic;
    for (const auto& word : invocation.args.words)
        topic += (topic.empty() ? "" : " ") + word;
    return print_help(invocation.out, topic);
}

}  // namespace

const Verb kHelp{.name = "help",
                 .usage = "[VERB|exit]",
                 .summary = "Show help for a verb, or the exit statuses",
                 .examples = "jobq help enqueue\njobq help exit",
                 .options = {},
                 .more = {},
                 .max_words = 2,
                 .words = Takes::verb,
                 .run = run_help};

void print_short_help(Output& out) {
    out.line("jobq enqueues, watches and repairs background jobs.\n");
    out.line("  $ jobq enqueue email --payload mail.json    enqueue a job and print its id");
    out.line("  $ jobq run --wait -- ./nightly.sh           run a command as a job\n");
    out.line("  enqueue, run                add jobs");
    out.line("  status, wait, result, logs  look at one job");
    out.line("  list, stats, queue, workers, events    look at all of them");
    out.line("  cancel, retry, rm, retry-dead          change or repair\n");
    out.line("`jobq help` lists every verb; `jobq help VERB` shows its options and examples.");
    out.line("No daemon yet? `jobqd --dev` starts one.");
}

Answer<int> print_help(Output& out, const std::string& topic) {
    const Verb* verb = find_verb(topic);
    if (topic.empty()) {
        print_all(out);
    } else if (topic == "exit") {
        print_exit(out);
    } else if (verb != nullptr) {
        print_verb(out, *verb);
    } else if (is_group(topic)) {
        print_group(out, topic);
    } else {
        if (const NotYet* later = find_not_yet(topic, ""); later != nullptr)
            return give_up(kUsage, "'" + topic + "' is not available in this version yet",
                           std::string(later->instead));
        const std::string_view best = nearest(topic, first_words());
        return give_up(kUsage,
                       "'" + printable(topic) + "' is not a jobq verb" +
                           (best.empty() ? "" : "; did you mean '" + std::string(best) + "'?"),
                       "`jobq help` lists all verbs");
    }
    return kDone;
}

}  // namespace jobq::cli
