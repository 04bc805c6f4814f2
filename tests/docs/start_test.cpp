// ./start beside another user of the package manager: its lock is waited for, and said. How long a
// build takes is said before, and how far it is on a terminal.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/docs/program.h"
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
        std::filesystem::copy_file(std::string(JOBQ_SOURCE_DIR) + "/start", dir / "start");
    }

    void program(const std::string& name, const std::string& body) {
        std::filesystem::create_directories(dir / "bin");
        const std::string path = dir.write("bin/" + name, "#!/bin/sh\n" + body + "\n");
        REQUIRE(chmod(path.c_str(), 0755) == 0);
    }

    test::ProgramEnd start(std::map<std::string, std::string> variables = {}) {
        variables["PATH"] = (dir / "bin:") + std::getenv("PATH");
        return test::run_program({dir / "start", "--yes", "prepare"}, "", variables);
    }
};

}  // namespace

TEST_CASE("./start waits for another program's lock on the packages and says so") {
    BusyMachine machine(3);
    auto ran = machine.start();
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(std::filesystem::exists(machine.dir / "updated"));
    CHECK(ran.err.find("waiting, up to 10 minutes: Could not get lock") != std::string::npos);
    CHECK(ran.err.find("held by process 41") == ran.err.rfind("held by process 41"));
}

TEST_CASE("./start gives up on a lock that is never released, with what to do") {
    BusyMachine machine(1000000);
    auto ran = machine.start({{"JOBQ_START_LOCK_SECONDS", "0"}});
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
    auto ran = test::run_program({machine.dir / "start", "--yes", "build"}, "", env);
    CHECK(ran.status == 0);
    CHECK(ran.out.find("400 build steps") != std::string::npos);
    CHECK(ran.out.find('\r') == std::string::npos);
}
