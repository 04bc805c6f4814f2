// jobqd is restarted, upgraded, stopped, killed or busy while a command runs: the runner keeps it,
// its output and its exit status; jobq waits. JOBQ_RESTART_SECONDS sets how long the command of the
// first case runs.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

std::string config(const std::string& runner) {
    return R"(
stop_timeout = "5s"
[run]
allow = true
[runner]
)" + runner +
           R"(
[pool.default]
kind = "exec"
queues = ["default"]
slots = 2
)";
}

int lines_of(const std::string& file) {
    const std::string text = read_file(file);
    return int(std::count(text.begin(), text.end(), '\n'));
}

// Notes its start, then writes a numbered line to both streams every 0.1 s.
std::string counting(const LiveDaemon& daemon, int lines) {
    return daemon.dir().write("counting.sh", "echo started >> " + (daemon.dir() / "witness") +
                                                 "\ni=0\nwhile [ $i -lt " + std::to_string(lines) +
                                                 R"( ]; do
  echo "out $i"
  echo "log $i" >&2
  i=$((i + 1))
  sleep 0.1
done
exit 3
)");
}

std::string numbered(const std::string& word, int lines) {
    std::string text;
    for (int i = 0; i < lines; ++i)
        text += word + " " + std::to_string(i) + "\n";
    return text;
}

// Notes its start, then waits for the file `go`.
std::string waiting(const LiveDaemon& daemon) {
    return daemon.dir().write("waiting.sh", "echo started >> " + (daemon.dir() / "witness") +
                                                "\nwhile [ ! -e " + (daemon.dir() / "go") +
                                                " ]; do sleep 0.05; done\necho ended\n");
}

json job_of(const LiveDaemon& daemon, const std::string& jid) {
    return json::parse(daemon.must({"status", jid, "--json"})).at(0);
}

bool log_has(const LiveDaemon& daemon, const std::string& words) {
    return contains(daemon.log(), words);
}

ino_t file_of(pid_t pid) {
    struct stat its {};

    return stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &its) == 0 ? its.st_ino : 0;
}

// A file of its own with the program in it, put in place in one step as packages do.
void install(const std::string& path) {
    std::filesystem::copy_file(kJobqdProgram, path + ".new");
    std::filesystem::rename(path + ".new", path);
}

}  // namespace

TEST_CASE("a command runs once, with a whole log, across five restarts and a SIGKILL of jobqd") {
    const char* asked = std::getenv("JOBQ_RESTART_SECONDS");
    const int lines = 10 * std::max(6, asked ? std::atoi(asked) : 6);
    LiveDaemon daemon(config(""));
    const std::string jid =
        daemon.must({"run", "-q", "--max-attempts", "1", "--", "sh", counting(daemon, lines)});
    const pid_t runner = daemon.runner_pid(), jobqd = daemon.pid();
    const auto came = [&](int line) {
        const std::string text = "log " + std::to_string(line) + "\n";
        return eventually(
            [&] {
                return contains(daemon.jobq({"logs", jid}).out, text);
            },
            seconds(lines));
    };
    for (int round = 1; round <= 5; ++round) {
        REQUIRE(came(round * lines / 7));
        daemon.restart();
        CHECK(daemon.pid() == jobqd);
    }
    REQUIRE(came(6 * lines / 7));
    daemon.kill();
    daemon.start();
    const Ran ended = daemon.jobq({"wait", jid});
    CHECK(ended.status == 3);
    CHECK(lines_of(daemon.dir() / "witness") == 1);
    CHECK(daemon.runner_pid() == runner);
    CHECK(daemon.must({"logs", jid}) + "\n" == numbered("log", lines));
    const json job = job_of(daemon, jid);
    INFO(job.dump());
    CHECK(job.at("attempts") == 1);
    CHECK(job.value("crashes", 0) == 0);
}

TEST_CASE("a runner that outlives jobqd takes over what the configuration of the next one says") {
    LiveDaemon daemon(config(""));
    daemon.must({"run", "--wait", "--", "true"});
    const pid_t runner = daemon.runner_pid();
    daemon.write_config(config("") + "[type.fresh]\nrun = [\"/bin/echo\", \"here\"]\n");
    daemon.restart();
    CHECK(daemon.must({"enqueue", "fresh", "--max-attempts", "1", "--wait"}) == "here");
    CHECK(daemon.runner_pid() == runner);
}

TEST_CASE(
    "with runner.keep the jobs of a stopped jobqd go on, and the next one has their reports") {
    LiveDaemon daemon(config("keep = true"));
    const std::string jid = daemon.must({"run", "-q", "--", "sh", waiting(daemon)});
    const std::string witness = daemon.dir() / "witness";
    REQUIRE(eventually([&] { return lines_of(witness) == 1; }, seconds(20)));
    const pid_t runner = daemon.runner_pid();
    CHECK(daemon.stop() == 0);
    CHECK(is_alive(runner));
    daemon.dir().write("go", "");
    daemon.start();
    CHECK(daemon.jobq({"wait", jid, "--timeout", "20s"}).status == 0);
    CHECK(daemon.must({"result", jid}) == "ended");
    CHECK(lines_of(witness) == 1);
    CHECK(job_of(daemon, jid).at("attempts") == 1);
    CHECK(daemon.stop() == 0);
    // With nothing to run and nobody to ask it does not stay for ever.
    CHECK(is_alive(runner));  // for a minute, in case that it was a restart again
    ::kill(runner, SIGTERM);
    CHECK(eventually([&] { return !is_alive(runner); }, seconds(10)));
}

TEST_CASE("an upgrade: another build takes jobqd's place, and the runner's once it runs nothing") {
    LiveDaemon daemon(config(""));
    const std::string jid = daemon.must({"run", "-q", "--", "sh", waiting(daemon)});
    const std::string witness = daemon.dir() / "witness";
    REQUIRE(eventually([&] { return lines_of(witness) == 1; }, seconds(20)));
    const pid_t runner = daemon.runner_pid();
    daemon.kill();
    const std::string program = daemon.dir() / "jobqd-next";
    install(program);
    daemon.use_program(program);
    daemon.start();
    REQUIRE(eventually([&] { return log_has(daemon, "another build"); }));
    // It goes on meanwhile, with new jobs too.
    CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);
    CHECK(daemon.runner_pid() == runner);
    daemon.dir().write("go", "");
    CHECK(daemon.jobq({"wait", jid, "--timeout", "20s"}).status == 0);
    CHECK(lines_of(witness) == 1);
    const auto replaced = [&] {
        return daemon.runner_pid() != runner &&
               file_of(daemon.runner_pid()) == file_of(daemon.pid());
    };
    CHECK(eventually(replaced, seconds(20)));
    CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);

    // The same in place: the file is replaced, then jobqd is told.
    const ino_t before = file_of(daemon.pid());
    install(program);
    daemon.restart();
    CHECK(file_of(daemon.pid()) != before);
    CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);
    CHECK(eventually(replaced, seconds(20)));
    for (const pid_t child : children_of(daemon.pid()))
        CHECK(is_alive(child));  // the runner that ended was reaped
}

TEST_CASE("a SIGTERM right after SIGUSR2 stops jobqd, whoever of the two programs gets it") {
    for (int pause_ms : {0, 5, 20, 40, 80}) {
        LiveDaemon daemon(config(""));
        CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);
        daemon.signal(SIGUSR2);
        std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
        CHECK(daemon.stop() == 0);
        CHECK(eventually([&] { return !is_alive(daemon.runner_pid()); }, seconds(10)));
    }
}

TEST_CASE("a restart that could not come up again is not begun") {
    LiveDaemon daemon(config(""));
    daemon.write_config("slots = 2\n");
    daemon.signal(SIGUSR2);
    CHECK(eventually([&] { return log_has(daemon, "daemon.not_restarted"); }));
    CHECK(log_has(daemon, "jobqd.toml:1:1"));
    CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);
    CHECK_FALSE(log_has(daemon, "daemon.stopped"));
}

TEST_CASE("a jobqd that does nothing for three seconds is waited for") {
    const LiveDaemon daemon("");
    daemon.signal(SIGSTOP);
    std::thread busy([&] {
        std::this_thread::sleep_for(std::chrono::seconds(3));
        daemon.signal(SIGCONT);
    });
    const Ran ran = daemon.jobq({"ping"});
    busy.join();
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(ran.seconds > 1);
}

}  // namespace jobq::test
