// Another user of the same machine who makes our directories and sockets before us gets nothing.
// It takes two user ids, so root; without it the cases say so and end.
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>

#include "tests/support/live/cli_kit.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"

using namespace jobq::test;
using Catch::Contains;

namespace {

constexpr uid_t kOther = 54322;

bool is_root() {
    if (geteuid() == 0) return true;
    WARN("not root: there is no second user to try it with");
    return false;
}

// A process of the other user that listens, takes one connection and greets like jobqd.
class Impostor {
  public:
    explicit Impostor(const std::string& path) {
        int ready[2];
        REQUIRE(pipe(ready) == 0);
        pid_ = fork();
        if (pid_ == 0) serve(path, ready[1]);
        close(ready[1]);
        char byte = 0;
        const bool listens = read(ready[0], &byte, 1) == 1;
        close(ready[0]);
        REQUIRE(listens);
    }

    ~Impostor() {
        if (pid_ <= 0) return;
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

    // 0: the other side left without a word; 1: it said something.
    int wait() {
        int status = -1;
        waitpid(pid_, &status, 0);
        pid_ = 0;
        return WEXITSTATUS(status);
    }

  private:
    [[noreturn]] static void serve(const std::string& path, int ready) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, path.data(), path.size());
        const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgid(kOther) != 0 || setuid(kOther) != 0) _exit(3);
        if (bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) _exit(4);
        chmod(path.c_str(), 0777);
        if (listen(fd, 5) != 0 || write(ready, "x", 1) != 1) _exit(5);
        const int peer = accept(fd, nullptr, nullptr);
        const std::string hi = "+HI {\"v\":2}\r\n";
        (void)!send(peer, hi.data(), hi.size(), MSG_NOSIGNAL);
        char byte = 0;
        _exit(read(peer, &byte, 1) > 0 ? 1 : 0);
    }

    pid_t pid_ = 0;
};

// Where the other user may write.
std::string open_dir(const TempDir& dir) {
    chmod(dir.path().c_str(), 0755);
    const std::string path = dir / "open";
    mkdir(path.c_str(), 0700);
    chmod(path.c_str(), 0777);
    return path;
}

}  // namespace

TEST_CASE("jobqd --dev does not take a directory in /tmp that another user made for it") {
    if (!is_root()) return;
    // A user id that nobody else has.
    const uid_t victim = 1'000'000 + uid_t(getpid());
    const std::string base = "/tmp/jobq-" + std::to_string(victim);
    CliCall call;
    call.program = "/usr/bin/setpriv";
    call.args = {"--reuid",        std::to_string(victim), "--regid", std::to_string(victim),
                 "--clear-groups", kJobqdProgram,          "--dev",   "--http",
                 "127.0.0.1:0"};
    SECTION("a directory of his") {
        REQUIRE(mkdir(base.c_str(), 0777) == 0);
        chmod(base.c_str(), 0777);
        REQUIRE(lchown(base.c_str(), kOther, kOther) == 0);
    }
    TempDir ours;
    SECTION("a link of his to a directory of ours") {
        REQUIRE(chown(ours.path().c_str(), victim, victim) == 0);
        REQUIRE(symlink(ours.path().c_str(), base.c_str()) == 0);
        REQUIRE(lchown(base.c_str(), kOther, kOther) == 0);
    }
    SECTION("a link of his that leads nowhere yet") {
        REQUIRE(symlink((ours / "later").c_str(), base.c_str()) == 0);
        REQUIRE(lchown(base.c_str(), kOther, kOther) == 0);
    }
    SECTION("one of ours that he can write to") {
        REQUIRE(mkdir(base.c_str(), 0777) == 0);
        chmod(base.c_str(), 0777);
        REQUIRE(chown(base.c_str(), victim, victim) == 0);
    }
    const Ran ran = run_cli(call);
    std::filesystem::remove_all(base);
    CHECK(ran.status == 77);
    CHECK_THAT(ran.err, Contains(base));
    CHECK(std::filesystem::is_empty(ours.path()));
}

TEST_CASE("an XDG_RUNTIME_DIR of another user is refused, by name") {
    if (!is_root()) return;
    TempDir dir;
    const std::string place = open_dir(dir);
    REQUIRE(chown(place.c_str(), kOther, kOther) == 0);
    CliCall call;
    call.program = kJobqdProgram;
    call.args = {"--dev", "--http", "127.0.0.1:0"};
    call.env = {{"XDG_RUNTIME_DIR", place}};
    const Ran ran = run_cli(call);
    CHECK(ran.status == 77);
    CHECK_THAT(ran.err, Contains(place) && Contains("XDG_RUNTIME_DIR"));
    CHECK(std::filesystem::is_empty(place));
}

TEST_CASE("a runner takes no jobs from a socket of another user") {
    if (!is_root()) return;
    TempDir dir;
    const std::string path = open_dir(dir) + "/q.sock";
    Impostor impostor(path);
    int said = -1;
    CliCall call;
    call.program = kJobqdProgram;
    call.args = {"runner", "--connect", "unix:" + path, "--name", "r"};
    call.started = [&](int pid) {
        said = impostor.wait();
        kill(pid, SIGTERM);
    };
    const Ran ran = run_cli(call);
    CHECK(said == 0);
    CHECK_THAT(ran.err, Contains("is a socket of user id 54322"));
}

TEST_CASE("jobq believes no socket of another user that nobody named") {
    if (!is_root()) return;
    TempDir dir;
    const std::string place = open_dir(dir);
    Impostor impostor(place + "/jobq.sock");
    CliCall call;
    call.args = {"ping"};
    call.env = {{"XDG_RUNTIME_DIR", place}};
    const Ran ran = run_cli(call);
    CHECK(ran.status == 69);
    CHECK_THAT(ran.err, Contains("the socket belongs to user id 54322"));
    CHECK(impostor.wait() == 0);
}

TEST_CASE("a job reads neither the environment of jobqd's runner nor, but as root, that of jobqd") {
    if (!is_root()) return;
    const bool as_root = GENERATE(true, false);
    CAPTURE(as_root);
    TempDir dir;
    REQUIRE(chown(dir.path().c_str(), as_root ? 0 : kOther, as_root ? 0 : kOther) == 0);
    CliCall call;
    call.program = "/usr/bin/setpriv";
    const std::string uid = as_root ? "0" : std::to_string(kOther);
    call.args = {"--reuid",     uid,      "--regid",    uid,       "--clear-groups",
                 kJobqdProgram, "--dev",  "--unix",     dir / "q", "--state-dir",
                 dir / "s",     "--http", "127.0.0.1:0"};
    call.env = {{"TOKEN_OF_MINE", "geheim42"}};
    Ran ran;
    call.started = [&](int pid) {
        CliCall job;
        job.args = {"--server", "unix:" + (dir / "q"), "ping"};
        CHECK(eventually([&] { return run_cli(job).status == 0; }, std::chrono::seconds(20)));
        std::string script = "cat /proc/$PPID/environ";
        if (!as_root) script += "; cat /proc/" + std::to_string(pid) + "/environ";
        job.args = {
            "--server", "unix:" + (dir / "q"), "run", "--wait", "--cwd", "/", "--", "sh", "-c",
            script};
        ran = run_cli(job);
        kill(pid, SIGTERM);
    };
    const Ran daemon = run_cli(call);
    CHECK(daemon.status == 0);
    CHECK_THAT(ran.out + ran.err, !Contains("geheim42"));
    if (as_root) CHECK_THAT(ran.out, Contains("PATH="));
    if (!as_root) CHECK_THAT(ran.err, Contains("Permission denied"));
}

TEST_CASE("the password of --redis does not stay among the arguments that all can read") {
    TempDir dir;
    CliCall call;
    call.program = kJobqdProgram;
    call.args = {"--redis", "redis://user:geheim42@127.0.0.1:1", "--state-dir", dir / "s", "--unix",
                 dir / "q"};
    call.started = [](int pid) {
        CHECK(eventually([&] {
            const std::string line = read_file("/proc/" + std::to_string(pid) + "/cmdline");
            return line.starts_with(kJobqdProgram) && line.find("--redis") != line.npos &&
                   line.find("geheim42") == line.npos;
        }));
        kill(pid, SIGTERM);
    };
    CHECK_THAT(run_cli(call).err, !Contains("geheim42"));
}
