// Two jobqd on one Redis: what is asked through one reaches the job at the other within a second or
// so, and nobody waits for the watchdog.
#include <catch2/catch.hpp>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using std::chrono::seconds;

// The one has no pool that runs anything; the other has.
std::string config(const RedisServer& redis, bool runs) {
    return "[redis]\nurl = \"unix:" + redis.socket_path() + "\"\n[run]\nallow = true\n" +
           (runs ? "[pool.default]\nkind = \"exec\"\nqueues = [\"default\"]\nslots = 4\n"
                 : "[pool.default]\nkind = \"exec\"\nqueues = [\"none\"]\nslots = 1\n");
}

struct Two {
    RedisServer redis;
    LiveDaemon asked{config(redis, false)};
    LiveDaemon running{config(redis, true)};

    std::string run(const std::string& script) const {
        std::string jid = asked.must({"run", "--", "sh", "-c", script});
        jid.erase(jid.find_last_not_of('\n') + 1);
        return jid;
    }

    bool becomes(const std::string& jid, const std::string& state, seconds limit) const {
        return eventually([&] { return asked.states({jid}).front() == state; }, limit);
    }

    bool is_watched() const { return contains(asked.log() + running.log(), "please report it"); }
};

}  // namespace

TEST_CASE("two daemons: a cancel through one ends the job that runs at the other") {
    Two two;
    const std::string jid = two.run("sleep 300");
    REQUIRE(two.becomes(jid, "running", seconds(20)));
    // Its worker is there, though not here.
    const Ran released = two.asked.jobq({"release", jid});
    CHECK(released.status == 4);
    CHECK(contains(released.err, "of another jobqd"));
    two.asked.must({"cancel", jid});
    CHECK(two.becomes(jid, "cancelled", seconds(20)));
    CHECK_FALSE(two.is_watched());
}

TEST_CASE("two daemons: a queue resumed through one runs at the other") {
    Two two;
    two.asked.must({"queue", "pause", "default"});
    const std::string jid = two.run("true");
    two.asked.must({"queue", "resume", "default"});
    CHECK(two.becomes(jid, "succeeded", seconds(20)));
    CHECK_FALSE(two.is_watched());
}

TEST_CASE("two daemons: a wait at one hears of ends at the other, of one job and of several") {
    Two two;
    const std::string first = two.run("sleep 1"), second = two.run("sleep 1");
    CHECK(two.asked.jobq({"wait", first}).status == 0);
    CHECK(two.asked.jobq({"wait", first, second}).status == 0);
    CHECK_FALSE(two.is_watched());
}

}  // namespace jobq::test
