// What fails while jobqd starts and goes later, goes later.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

using namespace jobq::test;

TEST_CASE("a runner that can't be started now is started later") {
    std::string lock;
    LiveDaemon daemon(
        "[pool.commands]\nkind = \"exec\"\nqueues = [\"default\"]\n[run]\nallow = true\n", {},
        [&](const std::string& state_dir) {
            // No file can be opened there.
            lock = state_dir + "/runner.lock";
            mkdir(state_dir.c_str(), 0700);
            mkdir(lock.c_str(), 0700);
        });
    CHECK(eventually([&] { return daemon.log().find("runner.no_lock") != std::string::npos; }));
    CHECK(daemon.jobq({"ping"}).status == 0);
    REQUIRE(rmdir(lock.c_str()) == 0);
    CHECK(eventually([&] { return daemon.log().find("runner.started") != std::string::npos; }));
    CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);
}
