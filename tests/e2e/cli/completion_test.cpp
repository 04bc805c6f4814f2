// Completion in the three shells themselves, each loading the shipped file as a user's shell does:
// bash through its completion variables, zsh by typing into a pseudo-terminal, fish by complete -C.
// A shell that is not installed fails the test.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/live/cli_kit.h"
#include "tests/support/paths.h"

namespace jobq::test {
namespace {

const std::string kSource = kSourceDir;

// A daemon with two queues.
bool queues(Peer& peer, const std::string&, const std::string&) {
    peer.bulk(R"({"queues":[{"name":"mail","size":3,"paused":false,"latency_ms":0},
                 {"name":"reports","size":0,"paused":false,"latency_ms":0}]})");
    return true;
}

CliCall shell_call(const FakeDaemon& daemon, const std::string& shell, const std::string& script) {
    auto call = daemon.call({"-c", script});
    call.program = "/usr/bin/" + shell;
    const auto bin = std::filesystem::path(kJobqProgram).parent_path().string();
    call.env["PATH"] = bin + ":/usr/bin:/bin";
    call.env["TERM"] = "dumb";
    call.env["LC_ALL"] = "C.UTF-8";
    return call;
}

std::set<std::string> words_of(const std::string& text) {
    std::set<std::string> words;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        words.insert(line.substr(0, line.find('\t')));
    return words;
}

struct Case {
    std::string typed;                 // after "jobq "
    std::vector<std::string> offered;  // all of these, among others
    std::string never;                 // not this; "" for none
};

// What every shell must offer. File names are those of the test's directory.
const std::vector<Case> kCases{
    {"", {"enqueue", "status", "queue", "retry-dead", "workers"}, "__complete"},
    {"enq", {"enqueue"}, "status"},
    {"queue ", {"list", "pause", "clear"}, "enqueue"},
    {"queue pause ", {"mail", "reports"}, "pause"},
    {"enqueue email --queue ", {"mail", "reports"}, "--queue"},
    {"enqueue --pri", {"--priority"}, "--queue"},
    {"list --state d", {"dead"}, "ready"},
    {"list -o ", {"text", "json", "jsonl"}, "mail"},
    {"enqueue email --payload pay", {"payload-one.json", "payload-two.json"}, "dead"},
    {"work ", {"mail", "reports"}, "payload-one.json"},
    {"work mail --slots 2 -- pay", {"payload-one.json", "payload-two.json"}, "mail"},
    {"completion ", {"bash", "zsh", "fish"}, "mail"},
};

}  // namespace

TEST_CASE("bash completes verbs, options, values, queue names and files") {
    FakeDaemon daemon(queues);
    const TempDir dir;
    dir.write("payload-one.json", "1");
    dir.write("payload-two.json", "2");
    auto cases = kCases;
    cases.push_back({"list --state=d", {"dead"}, "ready"});
    for (const auto& one : cases) {
        const std::string line = "jobq " + one.typed;
        // Words as bash splits them: at blanks and at "=".
        const std::string script = "source '" + kSource + "/completions/bash/jobq'\n" +
                                   "COMP_LINE='" + line + "'\nCOMP_POINT=${#COMP_LINE}\n" +
                                   "split=${COMP_LINE//=/ = }\nread -ra COMP_WORDS <<<\"$split\"\n"
                                   "[[ $split == *' ' ]] && COMP_WORDS+=('')\n"
                                   "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                   "_jobq\nprintf '%s\\n' \"${COMPREPLY[@]}\"";
        auto call = shell_call(daemon, "bash", script);
        call.cwd = dir.path();
        const Ran ran = run_cli(call);
        INFO(line << "\n" << ran.out << ran.err);
        CHECK(ran.status == 0);
        const auto words = words_of(ran.out);
        for (const auto& word : one.offered)
            CHECK(words.contains(word));
        if (!one.never.empty()) CHECK_FALSE(words.contains(one.never));
    }
}

TEST_CASE("fish completes verbs, options, values, queue names and files") {
    FakeDaemon daemon(queues);
    const TempDir dir;
    dir.write("payload-one.json", "1");
    dir.write("payload-two.json", "2");
    auto cases = kCases;
    cases.push_back({"list --state=d", {"--state=dead"}, "--state=ready"});
    for (const auto& one : cases) {
        auto call = shell_call(daemon, "fish",
                               "source '" + kSource + "/completions/fish/jobq.fish'\n" +
                                   "complete -C 'jobq " + one.typed + "'");
        call.args.insert(call.args.begin(), "--no-config");
        call.cwd = dir.path();
        call.env["HOME"] = dir.path();
        const Ran ran = run_cli(call);
        INFO(one.typed << "\n" << ran.out << ran.err);
        CHECK(ran.status == 0);
        const auto words = words_of(ran.out);
        for (const auto& word : one.offered)
            CHECK(words.contains(word));
        if (!one.never.empty()) CHECK_FALSE(words.contains(one.never));
    }
}

TEST_CASE("zsh completes verbs, options, values, queue names and files") {
    FakeDaemon daemon(queues);
    const TempDir dir;
    dir.write("payload-one.json", "1");
    dir.write("payload-two.json", "2");
    auto cases = kCases;
    cases.push_back({"list --state=d", {"--state=dead"}, ""});
    for (const auto& one : cases) {
        // A shell in a pseudo-terminal gets the line and two tabs (one completes what is common,
        // one lists); what it shows is read up to the word that comes last in zsh's order. A word
        // that never comes runs into the call's limit.
        auto offered = one.offered;
        std::sort(offered.begin(), offered.end());
        const std::string script =
            "zmodload zsh/zpty\nzpty term zsh -f -i\n"
            "zpty -w term \"stty rows 100 cols 200; PS1=; setopt nobeep; fpath=('" +
            kSource +
            "/completions/zsh' \\$fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' "
            "complete-word; echo LOAD''ED\"\n"
            "zpty -r term text '*LOADED*'\n"
            "zpty -w -n term $'jobq " +
            one.typed + "\\t\\t'\nzpty -r term text '*" + offered.back() + "*'\nprint -r -- $text";
        auto call = shell_call(daemon, "zsh", script);
        call.args.insert(call.args.begin(), "-f");
        call.cwd = dir.path();
        call.env["HOME"] = dir.path();
        call.env["TERM"] = "xterm";
        call.limit_s = 20;
        const Ran ran = run_cli(call);
        INFO(one.typed << "\n" << ran.out << ran.err);
        CHECK(ran.status == 0);
        for (const auto& word : one.offered)
            CHECK(contains(ran.out, word));
        if (!one.never.empty() && !contains("jobq " + one.typed, one.never))
            CHECK_FALSE(contains(ran.out, one.never));
    }
}

TEST_CASE("jobq completion prints the shipped files") {
    const std::vector<std::pair<std::string, std::string>> files{
        {"bash", "bash/jobq"}, {"zsh", "zsh/_jobq"}, {"fish", "fish/jobq.fish"}};
    for (const auto& [shell, file] : files) {
        CliCall call;
        call.args = {"completion", shell};
        CHECK(run_cli(call).out == read_file(kSource + "/completions/" + file));
    }
}

TEST_CASE("completion without a daemon is quick and offers what needs none") {
    CliCall call;
    call.env["JOBQ_URL"] = "unix:/nonexistent/jobq.sock";
    call.args = {"__complete", "--", "queue", "pause", ""};
    const Ran none = run_cli(call);
    CHECK(none.status == 0);
    CHECK(none.out.empty());
    CHECK(none.err.empty());
    // Nobody answers: the limit of 100 ms holds for each of connecting and asking.
    FakeDaemon silent([](Peer&, const std::string&, const std::string&) { return true; });
    auto slow = silent.call({"__complete", "--", "queue", "pause", ""});
    const Ran waited = run_cli(slow);
    CHECK(waited.status == 0);
    CHECK(waited.seconds < 8);
}

}  // namespace jobq::test
