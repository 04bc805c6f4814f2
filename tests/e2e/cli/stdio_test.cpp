// Descriptors that the caller closed, made non-blocking, or that can't be read: nothing is taken
// for what it is not.
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

const char* const kConfig = R"([server]
allow_flush = true
[run]
allow = true
[pool.default]
kind = "exec"
queues = ["default"]
slots = 2
)";

// By a shell, which can close descriptors; $JOBQ is the program.
Ran shell(const LiveDaemon& daemon, const std::string& script, const std::string& cwd = "") {
    CliCall call = daemon.call({});
    call.cwd = cwd;
    call.program = "/bin/sh";
    call.args = {"-c", script};
    call.env["JOBQ"] = kJobqProgram;
    call.env["JOBQ_URL"] = "unix:" + daemon.socket();
    return run_cli(call);
}

std::vector<std::string> later(const LiveDaemon& daemon, int count) {
    std::vector<std::string> jids;
    for (int i = 0; i < count; ++i) {
        jids.push_back("later-000" + std::to_string(i));
        daemon.must({"enqueue", "noop", "--in", "1h", "--id", jids.back()});
    }
    return jids;
}

// jobq with a stdin that does not block and whose text comes in two halves.
int with_slow_stdin(const LiveDaemon& daemon, const std::vector<std::string>& args,
                    const std::string& first, const std::string& second) {
    int in[2];
    REQUIRE(pipe2(in, O_CLOEXEC) == 0);
    fcntl(in[0], F_SETFL, O_NONBLOCK);
    std::vector<std::string> words{"jobq", "--server", "unix:" + daemon.socket()};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        const int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        execv(kJobqProgram, argv.data());
        _exit(127);
    }
    REQUIRE(write(in[1], first.data(), first.size()) == ssize_t(first.size()));
    // It has read the first half and waits in poll() for more.
    REQUIRE(eventually([&] {
        return contains(read_file("/proc/" + std::to_string(pid) + "/syscall"), "none") ||
               contains(read_file("/proc/" + std::to_string(pid) + "/stat"), ") S ");
    }));
    REQUIRE(write(in[1], second.data(), second.size()) == ssize_t(second.size()));
    close(in[1]);
    close(in[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("what a job writes to a closed stderr or stdout never reaches jobqd as a command") {
    LiveDaemon daemon(kConfig);
    later(daemon, 1);
    shell(daemon, "$JOBQ run --wait -- sh -c 'echo FLUSH >&2; echo FLUSH' 2>&-");
    shell(daemon, "$JOBQ run --wait -- sh -c 'echo FLUSH >&2; echo FLUSH' >&- 2>&-");
    shell(daemon, "$JOBQ run --wait -- sh -c 'echo FLUSH >&2; echo FLUSH' <&- >&- 2>&-");
    CHECK(daemon.count("scheduled") == 1);
    CHECK(shell(daemon, "$JOBQ run --wait -- sh -c 'echo words >&2; exit 3' 2>&-").status == 3);
    CHECK(shell(daemon, "$JOBQ run --wait -- sh -c 'echo words; exit 3' <&- 2>&-").out ==
          "words\n");
    // As with every program: what can't be written is an error.
    CHECK(shell(daemon, "$JOBQ status later-0000 >&-").status != 0);
}

TEST_CASE("a jobqd whose standard descriptors are closed serves, and stops in order") {
    TempDir dir;
    CliCall call;
    call.program = "/bin/sh";
    call.args = {
        "-c",
        "exec \"$0\" --dev --state-dir \"$1/s\" --unix \"$1/q\" --http 127.0.0.1:0 <&- >&- "
        "2>&-",
        kJobqdProgram, dir.path()};
    call.started = [&](int pid) {
        CliCall ping;
        ping.args = {"--server", "unix:" + (dir / "q"), "ping"};
        CHECK(eventually([&] { return run_cli(ping).status == 0; }, std::chrono::seconds(20)));
        kill(pid, SIGTERM);
    };
    CHECK(run_cli(call).status == 0);
}

TEST_CASE("a read error is no end of input: exit 66, and what was not whole is not done") {
    LiveDaemon daemon(kConfig);
    const auto jids = later(daemon, 1);
    for (const char* verb : {"rm --yes -", "wait -", "cancel -", "retry -", "enqueue --jsonl -",
                             "enqueue noop --payload -"}) {
        for (const char* from : {"< /", "<&-", "< /proc/self/mem"}) {
            CAPTURE(verb, from);
            const Ran ran = shell(daemon, std::string("$JOBQ ") + verb + " " + from);
            CHECK(ran.status == 66);
            CHECK(contains(ran.err, "can't read"));
        }
    }
    for (const char* file : {"/proc/self/mem", "/"})
        CHECK(daemon.jobq({"enqueue", "--jsonl", file}).status == 66);
    for (const char* call : {"enqueue noop < /", "enqueue --jsonl /dev/stdin 0<&-",
                             "enqueue noop --payload /dev/fd/0 0<&-"})
        CHECK(shell(daemon, std::string("$JOBQ ") + call).status == 66);
    CHECK(daemon.count("scheduled") == 1);
    CliCall config = daemon.call({});
    config.program = kJobqdProgram;
    config.args = {"--config", "/proc/self/mem", "--check-config"};
    const Ran ran = run_cli(config);
    CHECK(ran.status == 78);
    CHECK(contains(ran.err, "can't be read"));
}

TEST_CASE("a stdin that does not block is waited for") {
    LiveDaemon daemon(kConfig);
    const auto jids = later(daemon, 3);
    CHECK(with_slow_stdin(daemon, {"rm", "--yes", "-"}, jids[0] + "\n" + jids[1].substr(0, 4),
                          jids[1].substr(4) + "\n" + jids[2] + "\n") == 0);
    CHECK(daemon.count("scheduled") == 0);
    CHECK(with_slow_stdin(daemon, {"enqueue", "--jsonl", "-"},
                          "{\"type\":\"noop\",\"in\":\"1h\"}\n{",
                          "\"type\":\"noop\",\"in\":\"1h\"}\n") == 0);
    CHECK(daemon.count("scheduled") == 2);
    CHECK(with_slow_stdin(daemon, {"enqueue", "noop", "--in", "1h", "--payload", "-"},
                          "{\"a\":", "1}") == 0);
    CHECK(daemon.count("scheduled") == 3);
}

TEST_CASE("a stdout that does not block gets every byte") {
    LiveDaemon daemon(kConfig);
    constexpr size_t kJobs = 3'000;
    std::string lines;
    for (size_t i = 0; i < kJobs; ++i)
        lines += "{\"type\":\"noop\",\"in\":\"1h\"}\n";
    CHECK(run_cli(daemon.call({"enqueue", "--jsonl", "-", "-q"}, lines)).status == 0);
    int out[2];
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    fcntl(out[1], F_SETFL, O_NONBLOCK);
    const std::string server = "unix:" + daemon.socket();
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        execl(kJobqProgram, "jobq", "--server", server.c_str(), "list", "--state", "scheduled",
              "-q", nullptr);
        _exit(127);
    }
    // The pipe is full, and jobq waits for it to be read.
    REQUIRE(eventually([&] {
        int held = 0;
        return ioctl(out[0], FIONREAD, &held) == 0 && held > 60'000;
    }));
    close(out[1]);
    size_t seen = 0;
    char part[4096];
    for (ssize_t got = 0; (got = read(out[0], part, sizeof part)) > 0;)
        seen += size_t(std::count(part, part + got, '\n'));
    close(out[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    CHECK(status == 0);
    CHECK(seen == kJobs);
}

TEST_CASE("a verb that follows ends when nobody reads it, or nobody can") {
    LiveDaemon daemon(kConfig);
    const std::string jid = daemon.must({"run", "--", "sleep", "60"});
    for (const std::string& verb :
         {std::string("stats --watch --interval 100ms"), std::string("events"),
          std::string("top --interval 250ms"), "logs -f " + jid}) {
        CAPTURE(verb);
        const auto follow = [&](const std::string& signals) {
            return "{ timeout 20 env --" + signals + "-signal=PIPE $JOBQ " + verb +
                   " 2>&3; echo $? >&3; } 3>&2";
        };
        // Nothing happens: what says that the reader is gone is not the next line.
        CHECK(contains(shell(daemon, follow("ignore") + " | true").err, "Broken pipe\n70\n"));
        CHECK(shell(daemon, follow("default") + " | true").err == "141\n");
        if (verb == "events" || verb.starts_with("logs")) continue;
        CHECK(contains(shell(daemon, follow("ignore") + " > /dev/full").err,
                       "No space left on device\n70\n"));
    }
}

TEST_CASE("a command runs in the directory of its caller, or not at all") {
    LiveDaemon daemon(kConfig);
    const std::string top = daemon.dir().path();
    const auto run = [&](const std::string& script) {
        return shell(daemon, "cd " + top + " && mkdir -p p/sub q && " + script);
    };
    CHECK(run("cd p && $JOBQ run --wait -- pwd").out == top + "/p\n");
    CHECK(run("cd p && $JOBQ run --wait --cwd sub -- pwd").out == top + "/p/sub\n");
    CHECK(run("cd p && $JOBQ run --wait --cwd .. -- pwd").out == top + "\n");
    const Ran removed = run("cd q && rmdir ../q && $JOBQ run --wait -- pwd");
    CHECK(removed.status == 66);
    CHECK(contains(removed.err, "removed"));
    CHECK(run("cd q && rmdir ../q && $JOBQ run --wait --cwd sub -- pwd").status == 66);
    const Ran latin =
        run("mkdir -p \"$(printf '\\351')\" && cd \"$(printf '\\351')\" && "
            "$JOBQ run --wait -- pwd");
    CHECK(latin.status == 65);
    CHECK(contains(latin.err, "UTF-8"));
    const Ran gone = run("$JOBQ run --wait --cwd nowhere -- pwd");
    CHECK(gone.status != 0);
    CHECK(gone.out.empty());
    CHECK(contains(gone.err, top + "/nowhere"));
    const Ran relative = daemon.jobq({"enqueue", "run", "--max-attempts", "1", "--wait",
                                      "--payload", R"({"argv":["pwd"],"cwd":"sub"})"});
    CHECK(relative.status != 0);
    CHECK(contains(relative.out + relative.err, "must be an absolute path"));
}

TEST_CASE("a command that can't be started ends as in a shell: 127, 126") {
    LiveDaemon daemon(kConfig);
    daemon.dir().write("plain", "text");
    const std::string script = daemon.dir().write("script", "exit 3");
    REQUIRE(chmod(script.c_str(), 0700) == 0);
    const std::string cd = "cd " + daemon.dir().path() + " && ";
    const auto run = [&](const std::string& command) {
        return shell(daemon, cd + "$JOBQ run --wait -- " + command);
    };
    const Ran missing = run("no-such-command");
    CHECK(missing.status == 127);
    CHECK(contains(missing.err, "no such program"));
    CHECK(run("./nowhere").status == 127);
    CHECK(run("./plain").status == 126);
    const Ran bare = run("./script");
    CHECK(bare.status == 126);
    CHECK(contains(bare.err, "#!/bin/sh"));
    // No number of attempts makes it shorter.
    const std::string payload = daemon.dir().write(
        "payload", R"({"cwd":"/","argv":["echo",")" + std::string(140'000, 'x') + "\"]}");
    const std::string huge =
        daemon.must({"enqueue", "run", "--max-attempts", "3", "--payload", payload});
    CHECK(daemon.jobq({"wait", huge}).status == 126);
    const Ran status = daemon.jobq({"status", huge});
    CHECK(contains(status.out, "too long"));
    CHECK_FALSE(contains(status.out, "attempt 2"));
    const Ran held = run("./script 9>>script");  // nobody can run what somebody writes
    CHECK(held.status == 126);
    CHECK(contains(held.err, "being written"));
}

TEST_CASE("a command that is being written starts when it is whole, without an attempt spent") {
    LiveDaemon daemon(kConfig);
    const std::string script = daemon.dir().write("script", "#!/bin/sh\nexit 3\n");
    REQUIRE(chmod(script.c_str(), 0700) == 0);
    const int writer = open(script.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    const std::string jid = daemon.must({"run", "--", script});
    REQUIRE(eventually([&] { return daemon.count("scheduled") == 1; }));
    close(writer);
    CHECK(daemon.jobq({"wait", jid}).status == 3);
}

TEST_CASE("a command has its caller's umask, a jobq in it reaches its own jobqd") {
    LiveDaemon daemon(kConfig);
    CHECK(shell(daemon, "umask 027; $JOBQ run --wait -- sh -c umask").out == "0027\n");
    const Ran ping = shell(daemon, "$JOBQ run --wait -- $JOBQ ping");
    CHECK(ping.status == 0);
    CHECK(contains(ping.out, daemon.socket()));
}

TEST_CASE("a byte order mark before lines is no part of them, a NUL no end") {
    LiveDaemon daemon(kConfig);
    const std::string job = R"({"type":"noop","in":"1h"})";
    CHECK(run_cli(daemon.call({"enqueue", "--jsonl", "-"}, "\xEF\xBB\xBF" + job + "\n")).status ==
          0);
    const Ran nul =
        run_cli(daemon.call({"enqueue", "--jsonl", "-"}, job + std::string(1, '\0') + job + "\n"));
    CHECK(nul.status == 1);
    CHECK(contains(nul.out, "NUL"));
    CHECK(daemon.count("scheduled") == 1);
}

TEST_CASE("no ids on stdin are no success: what should have named them may have failed") {
    LiveDaemon daemon(kConfig);
    for (const char* verb : {"wait -", "cancel -", "retry -", "rm --yes -"}) {
        CAPTURE(verb);
        const Ran ran = shell(daemon, std::string("false | $JOBQ ") + verb);
        CHECK(ran.status == 66);
        CHECK(contains(ran.err, "no ids on stdin"));
    }
}

TEST_CASE("enqueue takes what is piped to it, and nothing that is piped to its caller") {
    LiveDaemon daemon(kConfig + std::string("[type.parent]\nrun = [\"") + kJobqProgram +
                      "\", \"enqueue\", \"noop\", \"--in\", \"1h\"]\n");
    const auto payloads = [&] {
        const Ran ran = daemon.jobq({"list", "--state", "scheduled", "-o", "jsonl"});
        std::string all;
        for (const char* text : {"[{\\\"a\\\":1}", "two", "three", "four", "five"})
            if (contains(ran.out, text)) all += text + std::string(" ");
        return all;
    };
    const std::string later = "$JOBQ enqueue noop --in 1h";
    const Ran loop = shell(daemon, "printf '1\\n2\\n3\\n' | while read x; do " + later +
                                       "; echo $x; done | grep -c '^[123]$'");
    CHECK(loop.out == "3\n");
    CHECK(contains(loop.err, "--payload - "));
    CHECK(daemon.count("scheduled") == 3);
    const std::string list = daemon.dir().write("list", "1\n2\n3\n");
    CHECK(shell(daemon,
                "while read x; do " + later + "; echo $x; done < " + list + " | grep -c '^[123]$'")
              .out == "3\n");
    // A pipe that stays open and says nothing is not waited for by who does not own it.
    const Ran idle =
        shell(daemon, "mkfifo p && exec 3<>p && echo 1 >&3 && { read x; " + later + "; } <&3",
              daemon.dir().path());
    CHECK(idle.status == 0);
    CHECK(contains(idle.err, "belongs to the caller"));
    CHECK(payloads().empty());
    const Ran piped = shell(daemon, "echo '{\"a\":1}' | " + later);
    CHECK(piped.status == 0);
    CHECK(contains(piped.err, "8 bytes from stdin"));
    CHECK(payloads() == "[{\\\"a\\\":1} ");
    // A function of a shell is a subshell there, which shares its stdin and does not read it.
    CHECK(shell(daemon, "submit() { " + later + "; }; echo '\"three\"' | submit").status == 0);
    const std::string file = daemon.dir().write("four", "\"four\"");
    CHECK(shell(daemon, later + " < " + file + "; true").status == 0);
    CHECK(shell(daemon, "echo 1 | while read x; do " + later + " << END\n\"five\"\nEND\ndone")
              .status == 0);
    CHECK(payloads() == "[{\\\"a\\\":1} three four five ");
    // A job's stdin is its own payload, also where the job is jobq itself.
    CHECK(daemon.jobq({"enqueue", "parent", "--payload", "\"two\"", "--wait"}).status == 0);
    CHECK(payloads() == "[{\\\"a\\\":1} three four five ");
}

TEST_CASE("a socket that this user may not use is a matter of permission") {
    LiveDaemon daemon(kConfig);
    if (geteuid() == 0) {
        REQUIRE(chmod(daemon.dir().path().c_str(), 0755) == 0);
        REQUIRE(chmod(daemon.socket().c_str(), 0600) == 0);
    }
    const std::string as_other = geteuid() == 0 ? "setpriv --reuid 65534 --clear-groups " : "";
    if (as_other.empty()) REQUIRE(chmod(daemon.socket().c_str(), 0) == 0);
    const Ran ran = shell(daemon, as_other + "$JOBQ ping");
    CHECK(ran.status == 77);
    CHECK(contains(ran.err, "Permission denied"));
    CHECK_FALSE(contains(ran.err, "start one"));
}

}  // namespace jobq::test
