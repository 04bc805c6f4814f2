// ./start beside another user of the package manager: its lock is waited for, and said. How long a
// build takes is said before, and how far it is on a terminal. Nothing of it outlives ./start.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/docs/program.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal.h"

using namespace jobq;

namespace {

// A copy of ./start in a directory whose apt-get finds the lock taken `times` times.
struct BusyMachine {
    test::TempDir dir;

    explicit BusyMachine(int times) {
        program("dpkg-query", "exit 1");
        program("dpkg-deb", "exit 0");
        program("apt-get",
                "n=$(cat count 2>/dev/null || echo 0); echo $((n + 1)) >count\n"
                "if [ \"$1\" = update ] && [ \"$n\" -lt " +
                    std::to_string(times) +
                    " ]; then\n"
                    "  echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process "
                    "41 (apt-get)' >&2\n  exit 100\nfi\n"
                    "[ \"$1\" != update ] || touch updated\n"
                    "[ \"$1\" != download ] || touch prometheus_1.deb\nexit 0");
        program("sleep", "exit 0");
        std::filesystem::copy_file(std::string(test::kSourceDir) + "/start", dir / "start");
    }

    void program(const std::string& name, const std::string& body) {
        std::filesystem::create_directories(dir / "bin");
        const std::string path = dir.write("bin/" + name, "#!/bin/sh\n" + body + "\n");
        REQUIRE(chmod(path.c_str(), 0755) == 0);
    }

    test::ProgramEnd start(const std::string& command,
                           std::map<std::string, std::string> variables = {}) const {
        variables["PATH"] = (dir / "bin:") + std::getenv("PATH");
        return test::run_program({dir / "start", "--yes", command}, "", variables);
    }

    // Who called the program "sleep" last.
    pid_t watcher() const {
        pid_t pid = 0;
        std::ifstream(dir / "watcher") >> pid;
        return pid;
    }

    // Not gone, nor ended and not yet waited for.
    static bool runs(pid_t pid) {
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string text;
        std::getline(stat, text);
        const size_t name_end = text.rfind(") ");
        return name_end != text.npos && text[name_end + 2] != 'Z';
    }
};

}  // namespace

TEST_CASE("./start waits for another program's lock on the packages and says so") {
    BusyMachine machine(3);
    auto ran = machine.start("prepare");
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(std::filesystem::exists(machine.dir / "updated"));
    CHECK(ran.err.find("waiting, up to 10 minutes: Could not get lock") != std::string::npos);
    CHECK(ran.err.find("held by process 41") == ran.err.rfind("held by process 41"));
}

TEST_CASE("./start gives up on a lock that is never released, with what to do") {
    BusyMachine machine(1000000);
    auto ran = machine.start("prepare", {{"JOBQ_START_LOCK_SECONDS", "0"}});
    INFO(ran.out << ran.err);
    CHECK(ran.status == 1);
    CHECK(ran.out.find("end the program that holds it") != std::string::npos);
}

TEST_CASE("./start says how long a build may take, and on a terminal how far it is") {
    BusyMachine machine(0);
    machine.program("nproc", "echo 2");
    machine.program("ninja", "i=0; while [ $i -lt 400 ]; do echo c++; i=$((i + 1)); done");
    machine.program("cmake",
                    "case $* in *--build*) echo '[100/400] a.o';\n"
                    "until [ -e go ]; do /bin/sleep 0.05; done;; esac");
    std::map<std::string, std::string> env{{"PATH", (machine.dir / "bin:") + std::getenv("PATH")}};
    test::Terminal terminal({machine.dir / "start", "--yes", "build"}, env);

    CHECK(terminal.writes("400 build steps: up to about 4 min with 2 compilers at a time"));
    CHECK(terminal.writes("build release                 25 %, "));
    machine.dir.write("go", "");
    CHECK(terminal.wait() == 0);

    // Not a terminal: no line is written over.
    std::filesystem::remove_all(machine.dir / "build");
    auto ran = machine.start("build");
    CHECK(ran.status == 0);
    CHECK(ran.out.find("400 build steps") != std::string::npos);
    CHECK(ran.out.find('\r') == std::string::npos);
}

TEST_CASE("./start builds without a forecast when ninja can't make one") {
    BusyMachine machine(0);
    machine.program("nproc", "echo 2");
    machine.program("cmake", "exit 0");
    for (const char* ninja : {"echo 'ninja: error: loading build.ninja' >&2; exit 1", "exit 0"}) {
        machine.program("ninja", ninja);
        auto ran = machine.start("build");
        INFO(ninja << '\n' << ran.out << ran.err);
        CHECK(ran.status == 0);
        CHECK(ran.out.find("build steps") == std::string::npos);
        CHECK(ran.err.empty());
        CHECK(ran.out.find("build release") != std::string::npos);
    }
}

TEST_CASE("./start leaves nothing behind when it is interrupted or killed during a build") {
    // From a shell of its own, which lives on: its end would send SIGHUP to all that is left.
    for (const bool by_key : {true, false}) {
        INFO(by_key);
        BusyMachine machine(0);
        machine.program("ninja", "echo c++");
        // The one who shows the progress is the parent of this one.
        machine.program("sleep",
                        "echo $PPID >watcher.new; mv watcher.new watcher; /bin/sleep 0.02");
        machine.program("cmake",
                        "case $* in *--build*) echo '[1/4] a.o'\n"
                        "until [ -e go ]; do /bin/sleep 0.02; done; kill -KILL $PPID;; esac");
        const std::map<std::string, std::string> env{
            {"PATH", (machine.dir / "bin:") + std::getenv("PATH")}};
        test::Terminal terminal({"/bin/sh", "-c",
                                 "trap : INT; '" + (machine.dir / "start") +
                                     "' --yes build; echo \"ended with $?\"; read -r _"},
                                env);
        REQUIRE(terminal.writes(" 25 %, "));
        const pid_t watcher = machine.watcher();
        REQUIRE(watcher > 0);
        if (by_key)
            terminal.type("\x03");
        else
            machine.dir.write("go", "");
        CHECK(terminal.writes(by_key ? "ended with 130" : "ended with 137"));
        const bool ended = test::eventually([&] { return !machine.runs(watcher); });
        CHECK(ended);
        if (!ended) kill(watcher, SIGKILL);
    }
}
