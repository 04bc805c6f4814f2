// Jobs of Faktory workers that were killed: their reservations last for half an hour, but a person
// need not wait for that.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/http_kit.h"
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

TEST_CASE("a cancel ends the job of a client without a wid that was killed, before or after") {
    FaktoryServer server;
    Wire client = server.client();
    REQUIRE(client.ask("PUSH " + job_of("plain-job-1", "q")) == ok());
    REQUIRE(client.ask("PUSH " + job_of("plain-job-2", "q")) == ok());
    Holder first(server, "", "q");
    REQUIRE(becomes(server, "plain-job-1", "running"));
    Holder second(server, "", "q");
    REQUIRE(becomes(server, "plain-job-2", "running"));
    CHECK(server.daemon.jobq({"release", "plain-job-1"}).status == 4);  // it is there
    server.daemon.must({"cancel", "plain-job-1"});
    CHECK(server.daemon.states({"plain-job-1"}).front() == "running");
    first.kill();
    CHECK(becomes(server, "plain-job-1", "cancelled"));
    second.kill();
    CHECK(eventually([&] {
        return contains(server.daemon.must({"status", "plain-job-2"}), "gone");
    }));
    CHECK(contains(server.daemon.must({"cancel", "plain-job-2"}), "its worker is gone"));
    CHECK(server.daemon.states({"plain-job-2"}).front() == "cancelled");
}

TEST_CASE("who is gone is shown as gone at once, and what can't be done names what can") {
    FaktoryServer server("[listen]\nhttp = \"127.0.0.1:0\"\n");
    Wire client = server.client();
    REQUIRE(client.ask("PUSH " + job_of("shown-job-1", "q")) == ok());
    auto holder = std::make_unique<Wire>(server.worker("shown-1"));
    REQUIRE(contains(holder->ask("FETCH q"), "shown-job-1"));
    const auto states = [&] {
        std::string shown;
        const auto all = nlohmann::json::parse(server.daemon.must({"workers", "-o", "json"}));
        for (const auto& worker : all)
            if (worker.at("wid") == "shown-1") shown += worker.at("state").get<std::string>();
        return shown;
    };
    CHECK(states() == "running");
    CHECK_FALSE(contains(server.daemon.jobq({"retry", "shown-job-1"}).err, "release"));
    holder.reset();
    CHECK(eventually([&] { return states() == "gone"; }));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"retry", "shown-job-1"}, {"rm", "--yes", "shown-job-1"}}) {
        const Ran ran = server.daemon.jobq(words);
        CAPTURE(words.front());
        CHECK(ran.status == 4);
        CHECK(contains(ran.err, "its worker is gone; jobq release shown-job-1"));
    }
    CHECK(contains(server.daemon.must({"status", "shown-job-1"}), "jobq release shown-job-1"));
    CHECK(client.ask(R"(BEAT {"wid":"shown-1"})") == "-ERR unknown worker shown-1");

    HttpClient http(http_port(server.daemon));
    const auto release = [&](const std::string& jid) {
        REQUIRE(http.send("POST /api/v1/jobs/" + jid +
                          "/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"));
        return http.answer();
    };
    CHECK(release("shown-job-2").status == 404);
    CHECK(release("shown-job-1").status == 200);
    CHECK(release("shown-job-1").status == 409);  // nobody holds it now
    CHECK(server.daemon.states({"shown-job-1"}).front() == "ready");
    CHECK(eventually([&] { return states().empty(); }));
}

}  // namespace jobq::test
