// Child with real processes: ends, signals, descriptors, limits, and what it refuses.
// Each test starts its own and leaves none.
#include "daemon/loop/child.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include "daemon/loop/child_image.h"
#include "daemon/loop/orphans.h"
#include "daemon/loop/pipe.h"
#include "tests/daemon/loop_until.h"
#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

struct Ran {
    ChildEnd end;
    std::string out;
};

SpawnPlan shell(const std::string& script) {
    SpawnPlan plan;
    plan.argv = {"/bin/sh", "-c", script};
    plan.env = {"PATH=/usr/bin:/bin"};
    return plan;
}

// Runs the plan to its end with stdout caught.
Ran run(UvReactor& reactor, SpawnPlan plan) {
    auto pipe = make_pipe();
    REQUIRE(pipe);
    plan.stdout_fd = pipe->write_fd;
    Ran ran;
    std::optional<ChildEnd> end;
    PipeReader reader(
        reactor, pipe->read_fd, [&](std::string_view bytes) { ran.out += bytes; }, [] {});
    auto child = Child::spawn(reactor, plan, [&](ChildEnd ended) { end = ended; });
    close_fd(pipe->write_fd);
    REQUIRE(child);
    REQUIRE(loop_until(reactor, [&] { return end && reader.ended(); }));
    ran.end = *end;
    return ran;
}

// A zombie of ours counts as dead, and is reaped.
bool alive(int pid) {
    waitpid(pid, nullptr, WNOHANG);
    return kill(pid, 0) == 0;
}

// What other tests left: the processes of a killed one come to this process too.
void end_orphans() {
    adopt_orphans();
    REQUIRE(eventually([] { return sweep_orphans([](const Orphan&) { return false; }) == 0; }));
}

int open_descriptors() {
    int count = 0;
    DIR* folder = opendir("/proc/self/fd");
    while (readdir(folder) != nullptr)
        ++count;
    closedir(folder);
    return count;
}

}  // namespace

TEST_CASE("a child's exit status and resource use come back") {
    UvReactor reactor;
    auto ran = run(reactor, shell("echo hello; exit 7"));
    CHECK(ran.out == "hello\n");
    CHECK(ran.end.exit_code == 7);
    CHECK_FALSE(ran.end.signal.has_value());
    CHECK(ran.end.usage.ru_maxrss > 0);
}

TEST_CASE("a child that ends by a signal says which") {
    UvReactor reactor;
    auto ran = run(reactor, shell("kill -SEGV $$"));
    CHECK(ran.end.signal == SIGSEGV);
    CHECK_FALSE(ran.end.exit_code.has_value());
}

TEST_CASE("a child has descriptors 0, 1 and 2 only") {
    UvReactor reactor;
    // Without CLOEXEC on purpose: another library may forget it.
    int leak = open("/etc/passwd", O_RDONLY);
    REQUIRE(leak > 2);
    SpawnPlan plan;
    plan.argv = {"/bin/ls", "/proc/self/fd"};
    auto ran = run(reactor, plan);
    close(leak);
    CHECK(ran.out == "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

TEST_CASE("a descriptor named in keep_fds is inherited") {
    UvReactor reactor;
    auto pipe = make_pipe();
    REQUIRE(pipe);
    auto plan = shell("echo through > /dev/fd/" + std::to_string(pipe->write_fd));
    plan.keep_fds = {pipe->write_fd};
    auto ran = run(reactor, plan);
    close_fd(pipe->write_fd);
    CHECK(ran.end.exit_code == 0);
    char text[16] = {};
    CHECK(read(pipe->read_fd, text, sizeof text) == 8);
    CHECK(std::string(text) == "through\n");
    close_fd(pipe->read_fd);
}

TEST_CASE("a child's environment is what the plan says and nothing else") {
    UvReactor reactor;
    SpawnPlan plan;
    plan.argv = {"/usr/bin/env"};
    plan.env = {"A=1", "B=two words"};
    CHECK(run(reactor, plan).out == "A=1\nB=two words\n");
}

TEST_CASE("a program is looked up in the PATH of the plan") {
    UvReactor reactor;
    TempDir dir;
    auto script = dir.write("only-here", "#!/bin/sh\necho found\n");
    chmod(script.c_str(), 0755);
    SpawnPlan plan;
    plan.argv = {"only-here"};
    plan.env = {"PATH=/bin:" + dir.path()};
    CHECK(run(reactor, plan).out == "found\n");
}

TEST_CASE("a child starts in its own session with default signals, umask, limits and folder") {
    UvReactor reactor;
    TempDir dir;
    auto plan = shell(
        "set -- $(cat /proc/self/stat); echo $6 $$; umask; ulimit -n; nice; pwd;"
        "grep -E 'SigBlk|SigIgn|NoNewPrivs' /proc/self/status; cat /proc/self/oom_score_adj");
    plan.umask = 027;
    plan.nice = 3;
    plan.cwd = dir.path();
    plan.no_new_privs = true;
    plan.oom_score_adj = 500;
    plan.limits = {{RLIMIT_NOFILE, 99, 99}};
    auto ran = run(reactor, plan);
    std::istringstream lines(ran.out);
    int session = 0, own = 1;
    lines >> session >> own;
    CHECK(session == own);
    std::string rest = ran.out.substr(ran.out.find('\n') + 1);
    CHECK(rest ==
          "0027\n99\n3\n" + dir.path() +
              "\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nNoNewPrivs:\t1\n500\n");
}

TEST_CASE("a child has its score for want of memory from its first instruction, we keep ours") {
    UvReactor reactor;
    const std::string own = read_file("/proc/self/oom_score_adj");
    SpawnPlan plan;
    plan.argv = {"/bin/cat", "/proc/self/oom_score_adj"};
    plan.oom_score_adj = 700;
    for (int i = 0; i < 50; ++i)
        REQUIRE(run(reactor, plan).out == "700\n");
    CHECK(read_file("/proc/self/oom_score_adj") == own);
}

TEST_CASE("what can't be started is refused with its reason and leaves nothing behind") {
    UvReactor reactor;
    TempDir dir;
    int before = open_descriptors();
    auto try_start = [&](std::vector<std::string> argv, std::string cwd = "") {
        SpawnPlan plan;
        plan.argv = std::move(argv);
        plan.cwd = std::move(cwd);
        auto child = Child::spawn(reactor, plan, [](ChildEnd) { FAIL("it never ran"); });
        REQUIRE_FALSE(child);
        return child.error();
    };
    CHECK(try_start({"no-such-program-here"}).code == ErrorCode::not_found);
    CHECK(try_start({"/no/such/file"}).code == ErrorCode::not_found);
    CHECK(try_start({"/bin/true"}, "/no/such/folder").code == ErrorCode::forbidden);
    CHECK(try_start({dir.write("plain", "text")}).code == ErrorCode::forbidden);
    CHECK(try_start({dir.path()}).code == ErrorCode::forbidden);
    CHECK(try_start({"/bin/true", std::string(200'000, 'x')}).code == ErrorCode::too_large);
    CHECK(try_start({}).code == ErrorCode::invalid);
    const std::string script = dir.write("script", "exit 3");
    REQUIRE(chmod(script.c_str(), 0700) == 0);
    CHECK(try_start({script}).code == ErrorCode::forbidden);
    CHECK_THAT(try_start({script}).text, Catch::Contains("#!/bin/sh"));
    const int writer = open(script.c_str(), O_WRONLY | O_CLOEXEC);
    CHECK(try_start({script}).code == ErrorCode::conflict);
    close(writer);
    CHECK_THAT(try_start({"/no/such/file"}).text, Catch::Contains("/no/such/file"));
    CHECK(open_descriptors() <= before + 1);     // /dev/null is opened once and kept
    CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // no zombie
}

TEST_CASE("a relative entry of PATH is looked up in the folder of the program") {
    UvReactor reactor;
    TempDir dir;
    std::filesystem::create_directories(dir / "w/bin");
    for (const char* name : {"w/bin/tool-of-path", "w/tool-of-folder"}) {
        const std::string tool = dir.write(name, "#!/bin/sh\necho mine\n");
        REQUIRE(chmod(tool.c_str(), 0700) == 0);
    }
    SpawnPlan plan;
    plan.cwd = dir / "w";
    plan.argv = {"tool-of-path"};
    plan.env = {"PATH=./bin:/usr/bin:/bin"};
    CHECK(run(reactor, plan).out == "mine\n");
    plan.env = {"PATH=/usr/bin::/bin"};
    plan.argv = {"tool-of-folder"};
    CHECK(run(reactor, plan).out == "mine\n");
    plan.env = {"PATH=/usr/bin:/bin"};
    CHECK_FALSE(find_program(plan));
}

TEST_CASE("without a descriptor for it a child is refused for now, not for good") {
    UvReactor reactor;
    CHECK(run(reactor, shell("true")).end.exit_code == 0);  // /dev/null is open from here on
    const int lowest_free = dup(0);
    close(lowest_free);
    rlimit before{}, tight{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    tight = {rlim_t(lowest_free), before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    const auto child = Child::spawn(reactor, shell("true"), [](ChildEnd) { FAIL("it never ran"); });
    setrlimit(RLIMIT_NOFILE, &before);
    REQUIRE_FALSE(child);
    INFO(child.error().text);
    CHECK(child.error().code == ErrorCode::busy);
    CHECK(run(reactor, shell("true")).end.exit_code == 0);
}

TEST_CASE("a group signal reaches what the child started, and none is sent after the end") {
    UvReactor reactor;
    TempDir dir;
    adopt_orphans();
    auto pid_file = dir / "pid";
    std::optional<ChildEnd> end;
    auto plan = shell("sleep 1000 & echo $! > " + pid_file + ".new; mv " + pid_file + ".new " +
                      pid_file + "; wait");
    auto child = Child::spawn(reactor, plan, [&](ChildEnd ended) { end = ended; });
    REQUIRE(child);
    REQUIRE(eventually([&] { return !read_file(pid_file).empty(); }));
    int grandchild = std::stoi(read_file(pid_file));
    CHECK(alive(grandchild));
    (*child)->signal_group(SIGTERM);
    REQUIRE(loop_until(reactor, [&] { return end.has_value(); }));
    CHECK(end->signal == SIGTERM);
    CHECK((*child)->ended());
    CHECK(eventually([&] { return !alive(grandchild); }));
    (*child)->signal_group(SIGKILL);
    (*child)->signal(SIGKILL);
}

TEST_CASE("a child dies with its parent") {
    adopt_orphans();
    int report[2];
    REQUIRE(pipe(report) == 0);
    pid_t middle = fork();
    if (middle == 0) {
        UvReactor reactor;
        auto child = Child::spawn(reactor, shell("while :; do sleep 1; done"), [](ChildEnd) {});
        int pid = child ? (*child)->pid() : -1;
        if (write(report[1], &pid, sizeof pid) != sizeof pid) _exit(1);
        kill(getpid(), SIGKILL);
    }
    int pid = 0;
    REQUIRE(read(report[0], &pid, sizeof pid) == sizeof pid);
    REQUIRE(pid > 0);
    close(report[0]);
    close(report[1]);
    waitpid(middle, nullptr, 0);
    CHECK(eventually([&] { return !alive(pid); }));
}

TEST_CASE("an orphan comes to the subreaper, is kept when wanted, ended and reaped when not") {
    UvReactor reactor;
    TempDir dir;
    end_orphans();
    auto pid_file = dir / "pid";
    auto plan = shell("setsid sh -c 'echo $$ > " + pid_file + ".new; mv " + pid_file + ".new " +
                      pid_file + "; exec sleep 1000' > /dev/null 2>&1 & while [ ! -e " + pid_file +
                      " ]; do sleep 0.01; done");
    plan.env.push_back("JOBQ_JID=the-job");
    run(reactor, plan);
    int pid = std::stoi(read_file(pid_file));
    std::vector<Orphan> seen;
    CHECK(sweep_orphans([&](const Orphan& orphan) {
              seen.push_back(orphan);
              return true;
          }) == 0);
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].pid == pid);
    CHECK(seen[0].jid == "the-job");
    CHECK(alive(pid));
    CHECK(sweep_orphans([](const Orphan&) { return false; }) == 1);
    auto none_wanted = [](const Orphan&) { return false; };
    CHECK(eventually([&] {
        sweep_orphans(none_wanted);
        return !alive(pid);
    }));
}

TEST_CASE("a watched child is never taken for an orphan") {
    UvReactor reactor;
    end_orphans();
    std::optional<ChildEnd> end;
    auto child = Child::spawn(reactor, shell("exit 3"), [&](ChildEnd ended) { end = ended; });
    REQUIRE(child);
    REQUIRE(eventually([&] {
        siginfo_t info{};
        waitid(P_PID, id_t((*child)->pid()), &info, WEXITED | WNOHANG | WNOWAIT);
        return info.si_pid != 0;
    }));
    CHECK(sweep_orphans([](const Orphan&) { return false; }) == 0);
    REQUIRE(loop_until(reactor, [&] { return end.has_value(); }));
    CHECK(end->exit_code == 3);
}

TEST_CASE("a pipe takes a megabyte without blocking and hands it over whole") {
    UvReactor reactor;
    auto pipe = make_pipe();
    REQUIRE(pipe);
    std::string sent;
    for (int i = 0; sent.size() < 1 << 20; ++i)
        sent += std::to_string(i) + ",";
    std::string got;
    bool ended = false;
    PipeReader reader(
        reactor, pipe->read_fd, [&](std::string_view bytes) { got += bytes; },
        [&] { ended = true; });
    PipeWriter writer(reactor, pipe->write_fd);
    writer.write(sent);
    writer.close_after_write();
    CHECK(writer.unwritten() > 0);
    REQUIRE(loop_until(reactor, [&] { return ended; }));
    CHECK(got == sent);
    CHECK(writer.closed());
}

TEST_CASE("a pipe knows what the other side has not read, also when it is gone") {
    UvReactor reactor;
    auto pipe = make_pipe();
    REQUIRE(pipe);
    PipeWriter writer(reactor, pipe->write_fd);
    writer.write("0123456789");
    char some[4];
    REQUIRE(read(pipe->read_fd, some, sizeof some) == 4);
    CHECK(writer.unread() == 6);
    close_fd(pipe->read_fd);
    CHECK(writer.unread() == 6);
    writer.write("more");
    CHECK(writer.closed());
    CHECK(writer.unread() == 10);
}

TEST_CASE("a pipe nobody reads drops what is written") {
    UvReactor reactor;
    auto pipe = make_pipe();
    REQUIRE(pipe);
    PipeWriter writer(reactor, pipe->write_fd);
    writer.write(std::string(1 << 20, 'x'));
    CHECK(writer.unwritten() > 0);
    close_fd(pipe->read_fd);
    CHECK(loop_until(reactor, [&] { return writer.closed(); }));
    CHECK(writer.unwritten() == 0);
}
