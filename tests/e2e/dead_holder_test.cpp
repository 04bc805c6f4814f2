// Jobs of Faktory workers that were killed: their reservations last for half an hour, but a person
// need not wait for that.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>

#include "tests/e2e/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

// A process that took the next job of `queue`, and does not report. `wid` "": it has none.
class Holder {
  public:
    Holder(const FaktoryServer& server, const std::string& wid, const std::string& queue)
        : pid_(fork()) {
        if (pid_ != 0) return;
        Wire wire = wid.empty() ? server.client() : server.worker(wid);
        wire.ask("FETCH " + queue);
        while (true)
            pause();
    }

    ~Holder() { kill(); }

    Holder(const Holder&) = delete;

    void kill() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

  private:
    pid_t pid_;
};

bool becomes(const FaktoryServer& server, const std::string& jid, const std::string& state) {
    return eventually([&] { return server.daemon.states({jid}).front() == state; });
}

}  // namespace

TEST_CASE("a cancel ends the job of a Faktory worker that was killed, before or after") {
    FaktoryServer server;
    Wire client = server.client();
    REQUIRE(client.ask("PUSH " + job_of("held-job-1", "q")) == ok());
    REQUIRE(client.ask("PUSH " + job_of("held-job-2", "q")) == ok());
    Holder first(server, "gone-1", "q");
    REQUIRE(becomes(server, "held-job-1", "running"));
    Holder second(server, "gone-2", "q");
    REQUIRE(becomes(server, "held-job-2", "running"));
    first.kill();
    server.daemon.must({"cancel", "held-job-1"});
    CHECK(becomes(server, "held-job-1", "cancelled"));
    server.daemon.must({"cancel", "held-job-2"});
    CHECK(server.daemon.states({"held-job-2"}).front() == "running");
    second.kill();
    CHECK(becomes(server, "held-job-2", "cancelled"));
}

TEST_CASE("a released job runs again, and a late report of who had it changes nothing") {
    FaktoryServer server;
    Wire client = server.client();
    REQUIRE(client.ask("PUSH " + job_of("held-job-3", "q")) == ok());
    auto first = std::make_unique<Wire>(server.worker("old-1"));
    REQUIRE(contains(first->ask("FETCH q"), "held-job-3"));
    CHECK(server.daemon.jobq({"release", "held-job-4"}).status == 3);
    CHECK(server.daemon.jobq({"release", "held-job-3"}).status == 4);  // its worker is there
    first.reset();
    CHECK(eventually([&] { return server.daemon.jobq({"release", "held-job-3"}).status == 0; }));
    Wire old = server.worker("old-1");
    Wire next = server.worker("next-1");
    REQUIRE(eventually([&] { return contains(next.ask("FETCH q"), "held-job-3"); }));
    CHECK(old.ask("ACK {\"jid\":\"held-job-3\"}") == ok());
    CHECK(server.daemon.states({"held-job-3"}).front() == "running");
    CHECK(next.ask("ACK {\"jid\":\"held-job-3\"}") == ok());
    CHECK(server.daemon.states({"held-job-3"}).front() == "succeeded");
    CHECK(server.daemon.jobq({"release", "held-job-3"}).status == 4);
}

}  // namespace jobq::test
