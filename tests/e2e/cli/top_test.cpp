// jobq top: the real program in a pseudo-terminal, and in a pipe, against a real jobqd.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/terminal.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr const char* kToml = R"(
[pool.work]
kind = "thread"
queues = ["work"]
slots = 4
)";

const std::string kLeave = "\033[?25h\033[?1049l";  // the end of what gives the screen back

// `jobq top` against that socket.
std::vector<std::string> top(const std::string& socket, std::vector<std::string> more = {}) {
    std::vector<std::string> args{kJobqProgram, "top", "--server", "unix:" + socket};
    args.insert(args.end(), more.begin(), more.end());
    return args;
}

std::map<std::string, std::string> env(std::map<std::string, std::string> more = {}) {
    more.emplace("TERM", "xterm-256color");
    more.emplace("PATH", "/usr/bin:/bin");
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"})
        if (const char* value = std::getenv(name)) more.emplace(name, value);
    return more;
}

bool is_restored(const Terminal& terminal) {
    const termios now = terminal.settings(), &before = terminal.settings_before();
    return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag &&
           std::memcmp(now.c_cc, before.c_cc, sizeof now.c_cc) == 0;
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

int64_t characters(const std::string& line) {
    return std::count_if(line.begin(), line.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// Waits until it says that nothing came for that many seconds, or some more.
bool says_how_long(Terminal& terminal, int least) {
    for (int seconds = least; seconds < least + 10; ++seconds)
        if (terminal.shows("NO FIGURES for " + std::to_string(seconds) + "s", 2'500)) return true;
    return false;
}

// The row of the screen that starts so; "" when there is none.
std::string row(const Terminal& terminal, const std::string& start) {
    for (const auto& line : terminal.screen())
        if (line.rfind(start, 0) == 0) return line;
    return {};
}

}  // namespace

TEST_CASE("top fills the screen within a second, and q gives it back") {
    LiveDaemon daemon(kToml);
    daemon.must({"enqueue", "noop", "--queue", "later"});
    double best = 1e9;
    for (int i = 0; i < 3 && best > 1; ++i) {
        const auto start = Clock::now();
        Terminal terminal(top(daemon.socket()), env());
        REQUIRE(terminal.shows("1 ready"));
        const std::chrono::duration<double> took = Clock::now() - start;
        best = std::min(best, took.count());
        CHECK((terminal.settings().c_lflag & (ICANON | ECHO)) == 0);
        CHECK(terminal.screen().size() == 30);
        CHECK(contains(row(terminal, "store"), "Redis ready"));
        CHECK(contains(row(terminal, "work"), "0/4"));
        CHECK(contains(row(terminal, "later"), "running"));
        REQUIRE(terminal.shows("/s enqueued"));  // the second answer
        terminal.type("q");
        CHECK(terminal.wait() == 0);
        CHECK(is_restored(terminal));
        CHECK(ends_with(terminal.output(), kLeave));
    }
    CHECK(best < 1);
}

TEST_CASE("top follows the size of the terminal, sorts, and pauses") {
    LiveDaemon daemon(kToml);
    daemon.must({"enqueue", "noop", "--queue", "aaa"});
    for (int i = 0; i < 2; ++i)
        daemon.must({"enqueue", "noop", "--queue", "zzz"});
    daemon.must({"queue", "pause", "zzz"});
    Terminal terminal(top(daemon.socket(), {"--interval", "100ms"}), env());
    REQUIRE(terminal.shows("sorted by size"));
    CHECK(contains(row(terminal, "zzz"), "paused"));
    const auto lines = terminal.screen();
    const auto place = [](const std::vector<std::string>& all, const std::string& start) {
        return std::find_if(all.begin(), all.end(),
                            [&start](const auto& line) { return line.rfind(start, 0) == 0; }) -
               all.begin();
    };
    CHECK(place(lines, "zzz") < place(lines, "aaa"));
    terminal.type("ss");
    REQUIRE(terminal.shows("sorted by name"));
    CHECK(place(terminal.screen(), "aaa") < place(terminal.screen(), "zzz"));
    terminal.type("p");
    REQUIRE(terminal.shows("PAUSED"));
    terminal.resize(40, 9);  // heeded while it is paused, too
    CHECK(terminal.shows_rows(9));
    for (const auto& line : terminal.screen())
        CHECK(characters(line) <= 40);
    terminal.type("p");
    terminal.resize(120, 40);
    CHECK(terminal.shows_rows(40));
    terminal.type("q");
    CHECK(terminal.wait() == 0);
}

TEST_CASE("top says that jobqd went away, how long, and goes on when it is back") {
    LiveDaemon daemon(kToml);
    Terminal terminal(top(daemon.socket()), env());
    REQUIRE(terminal.shows("0 ready"));
    daemon.kill();
    CHECK(says_how_long(terminal, 1));
    CHECK(contains(row(terminal, "NO FIGURES"), "retrying"));
    daemon.start();
    daemon.must({"enqueue", "noop", "--queue", "later"});
    REQUIRE(terminal.shows("1 ready"));
    CHECK(row(terminal, "NO FIGURES").empty());
    // One that hangs is told from one that works, and keys are heeded meanwhile.
    daemon.signal(SIGSTOP);
    CHECK(terminal.shows("jobqd is connected but does not answer"));
    terminal.type("q");
    CHECK(terminal.wait() == 0);
    daemon.signal(SIGCONT);
    CHECK(is_restored(terminal));
}

TEST_CASE("top gives the terminal back after signals, and ends when it hangs up") {
    LiveDaemon daemon(kToml);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        Terminal terminal(top(daemon.socket()), env());
        REQUIRE(terminal.shows("0 ready"));
        if (number == SIGINT)
            terminal.type("\003");
        else
            terminal.signal(number);
        CHECK(terminal.wait() == 130);
        CHECK(is_restored(terminal));
        CHECK(ends_with(terminal.output(), kLeave));
    }
    Terminal crashed(top(daemon.socket()), env());
    REQUIRE(crashed.shows("0 ready"));
    crashed.signal(SIGABRT);
    CHECK(crashed.wait() == 128 + SIGABRT);
    CHECK(is_restored(crashed));
    CHECK(ends_with(crashed.output(), kLeave));
    Terminal gone(top(daemon.socket()), env());
    REQUIRE(gone.shows("0 ready"));
    gone.hang_up();
    CHECK(gone.wait() == 130);
}

TEST_CASE("top that nobody reads can still be ended") {
    LiveDaemon daemon(kToml);
    Terminal terminal(top(daemon.socket()), env(), 500, 200);
    REQUIRE(terminal.shows("0 ready"));
    // Frame after frame until the terminal takes no more.
    size_t unread = 0, same = 0;
    for (int i = 0; i < 2'000 && same < 20; ++i) {
        terminal.type("s");
        const size_t before = std::exchange(unread, terminal.unread_after(5));
        same = unread == before ? same + 1 : 0;
    }
    CHECK(unread > 1'000);
    terminal.signal(SIGTERM);
    CHECK(terminal.wait(10'000, false) == 130);
    CHECK(is_restored(terminal));
}

TEST_CASE("top uses no colour where none is wanted, and no screen where there is none") {
    LiveDaemon daemon(kToml);
    Terminal colourless(top(daemon.socket()), env({{"NO_COLOR", "1"}}));
    REQUIRE(colourless.shows("0 ready"));
    colourless.type("q");
    CHECK(colourless.wait() == 0);
    for (const char* colour : {"\033[2m", "\033[31m", "\033[36m"})
        CHECK_FALSE(contains(colourless.output(), colour));
    Terminal dumb(top(daemon.socket(), {"--snapshots", "1"}), env({{"TERM", "dumb"}}));
    CHECK(dumb.wait() == 0);
    CHECK_FALSE(contains(dumb.output(), "\033"));
    CHECK(contains(dumb.output(), "0 ready"));
    const TempDir dir;
    Terminal nobody(top(dir / "none"), env());
    CHECK(nobody.wait() == 69);
    CHECK_FALSE(contains(nobody.output(), "\033"));
    CHECK(contains(nobody.output(), "no jobqd answers at unix:"));
}

TEST_CASE("top shows an error of jobqd, and does not flood one that hangs up") {
    FakeDaemon daemon(
        [](Peer& peer, const std::string& verb, const std::string&) {
            if (verb == "STATS") peer.write("-UNAVAILABLE Redis is not there\r\n");
            if (verb == "WORKERS") peer.bulk(R"({"workers":[]})");
            return true;
        },
        "+HI {\"v\":2}\r\n", nullptr, FakeDaemon::Serves::all_at_once);
    const Ran once = run_cli(daemon.call({"top", "--once"}));
    CHECK(once.status == 69);
    CHECK(contains(once.err, "Redis is not there"));
    Terminal told(top(daemon.path()), env());
    CHECK(told.shows(": Redis is not there; retrying"));
    told.type("q");
    CHECK(told.wait() == 0);
    FakeDaemon closing([](Peer&, const std::string&, const std::string&) { return false; });
    Terminal patient(top(closing.path()), env());
    CHECK(says_how_long(patient, 2));
    CHECK(closing.connections() <= 15);
    patient.type("q");
    CHECK(patient.wait() == 0);
}

TEST_CASE("top prints snapshots into a pipe") {
    LiveDaemon daemon(kToml);
    daemon.must({"enqueue", "noop", "--queue", "later"});
    const std::string once = daemon.must({"top", "--once"});
    CHECK_FALSE(contains(once, "\033"));
    CHECK(contains(once, "jobs     1 ready, 0 running"));
    CHECK(contains(once, "known after the second answer"));
    CHECK(contains(once, "\nlater "));
    const std::string two = daemon.must({"top", "--snapshots", "2", "--interval", "100ms"});
    CHECK(contains(two, "\n\njobqd "));
    CHECK(contains(two, "rates    0/s enqueued"));
    const std::string objects =
        daemon.must({"top", "--snapshots", "2", "--interval", "100ms", "--json"});
    const size_t end = objects.find('\n');
    CHECK(json::parse(objects.substr(0, end))["rates"].is_null());
    const json second = json::parse(objects.substr(end + 1));
    CHECK(second["rates"]["enqueued_per_s"] == 0);
    CHECK(second["stats"]["jobs"]["ready"] == 1);
    CHECK(second["workers"].is_array());
    // Without a number of snapshots it goes on until it is told to end.
    Terminal endless(top(daemon.socket(), {"--interval", "100ms"}), env({{"TERM", "dumb"}}));
    REQUIRE(endless.writes("0/s enqueued"));
    endless.signal(SIGTERM);
    CHECK(endless.wait() == 130);
}

}  // namespace jobq::test
