// Faktory Work Protocol 2, section 6: reservations, retries, the scheduler, restarts and the
// shutdown, row by row; with the right-hand column of section 11 where jobq does better.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "core/base/time.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

const char* const kBrief = "[server]\nallow_flush = true\nreserve_min = \"1s\"\n";

json sets_of(Wire& wire) {
    return wire.ask_json("INFO").at("faktory").at("sets");
}

std::string push(Wire& wire, const std::string& queue, const std::string& more = "") {
    std::string jid = fresh("life-jid-");
    REQUIRE(wire.ask("PUSH " + job_of(jid, queue, more)) == ok());
    return jid;
}

std::string with_jid(const std::string& verb, const std::string& jid) {
    return verb + R"( {"jid":")" + jid + "\"}";
}

int64_t at_ms(const json& object, const char* key) {
    return parse_rfc3339_ms(object.at(key).get<std::string>()).value();
}

}  // namespace

TEST_CASE("faktory 6 retry: the curve, and how a failure counts on", "[faktory]") {
    FaktoryServer server(kBrief);
    Wire wire = server.client();
    std::string jid = push(wire, "curve", R"(,"retry":4)");
    int64_t first_failed = 0;
    for (int count = 0; count <= 4; ++count) {
        auto job = wire.ask_json("FETCH curve");
        REQUIRE(job.at("jid") == jid);
        if (count > 0) {
            const auto& failure = job.at("failure");
            CHECK(failure.at("retry_count") == count - 1);
            CHECK(failure.at("remaining") == 4 - (count - 1));
            CHECK(failure.at("message") == "M" + std::to_string(count - 1));
            if (count == 1) first_failed = at_ms(failure, "failed_at");
            CHECK(at_ms(failure, "failed_at") == first_failed);
        }
        REQUIRE(wire.ask(R"(FAIL {"jid":")" + jid + R"(","message":"M)" + std::to_string(count) +
                         "\"}") == ok());
        if (count == 4) break;
        CHECK(sets_of(wire).at("retries") == 1);
        // count^4 + 15 + rand(0..29) * (count + 1) seconds.
        auto status = wire.ask_json(R"(JOBQ STATUS {"jids":[")" + jid + "\"]}").at("jobs").at(0);
        int64_t now = parse_rfc3339_ms(wire.ask_json("INFO").at("now").get<std::string>()).value();
        int64_t delay = at_ms(status, "next_at") - now, base = count * count * count * count + 15;
        INFO(status.dump());
        CHECK(delay > (base - 5) * 1000);
        CHECK(delay <= (base + 29 * (count + 1)) * 1000);
        REQUIRE(wire.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})") == ok());
    }
    // n retries are n + 1 runs.
    CHECK(sets_of(wire).at("retries") == 0);
    CHECK(sets_of(wire).at("dead") == 1);
}

TEST_CASE("faktory 6 retry: 0 drops, a negative number is dead at once", "[faktory]") {
    FaktoryServer server(kBrief);
    Wire wire = server.client();
    std::string gone = push(wire, "drop", R"(,"retry":0)");
    REQUIRE(wire.ask_json("FETCH drop").at("jid") == gone);
    CHECK(wire.ask(with_jid("FAIL", gone)) == ok());
    CHECK(sets_of(wire) == json{{"dead", 0}, {"retries", 0}, {"scheduled", 0}, {"working", 0}});
    for (std::string retry : {"-1", "-5"}) {
        std::string jid = push(wire, "dead", R"(,"retry":)" + retry);
        REQUIRE(wire.ask_json("FETCH dead").at("jid") == jid);
        CHECK(wire.ask(with_jid("FAIL", jid)) == ok());
    }
    CHECK(sets_of(wire).at("dead") == 2);
    auto totals = wire.ask_json("INFO").at("faktory");
    CHECK(totals.at("total_failures") == 3);
    CHECK(totals.at("total_processed") == 3);
    // A dead one that is requeued has no retries left: once more, and dead again.
    REQUIRE(wire.ask(R"(MUTATE {"cmd":"requeue","target":"dead"})") == ok());
    auto job = wire.ask_json("FETCH dead");
    CHECK(job.at("failure").at("remaining") == 0);
    CHECK(wire.ask(with_jid("FAIL", job.at("jid"))) == ok());
    CHECK(sets_of(wire).at("dead") == 1);
}

TEST_CASE("faktory 6 expiry: a reservation ends, the job is failed and the worker is not told",
          "[faktory]") {
    FaktoryServer server(kBrief);
    Wire wire = server.client(), other = server.client();
    std::string brief = push(wire, "brief", R"(,"reserve_for":1)");
    std::string minimum = push(wire, "brief", R"(,"reserve_for":-1)");
    std::string once = push(wire, "brief", R"(,"reserve_for":1,"retry":0)");
    std::string dead = push(wire, "brief", R"(,"reserve_for":1,"retry":-1)");
    std::string lasting = push(wire, "brief", R"(,"reserve_for":3600)");
    std::string standard = push(wire, "brief");
    for (const auto& jid : {brief, minimum, once, dead, lasting, standard})
        REQUIRE(wire.ask_json("FETCH brief").at("jid") == jid);
    CHECK(sets_of(wire).at("working") == 6);
    CHECK(eventually([&] { return sets_of(other).at("working") == 2; }));
    // Section 11: with retry 0 Faktory loses it; here it gets one more run.
    CHECK(other.ask_json("FETCH brief").at("jid") == once);
    CHECK(wire.ask(with_jid("ACK", brief)) == ok());
    CHECK(wire.ask(with_jid("FAIL", minimum)) == "-ERR Job not found " + minimum);
    CHECK(wire.ask(with_jid("ACK", lasting)) == ok());
    auto info = wire.ask_json("INFO").at("faktory");
    CHECK(info.at("sets") == json{{"dead", 1}, {"retries", 2}, {"scheduled", 0}, {"working", 2}});
    CHECK(info.at("total_failures") == 4);
    CHECK(info.at("total_processed") == 5);
    REQUIRE(wire.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})") == ok());
    auto failure = wire.ask_json("FETCH brief").at("failure");
    CHECK(failure.at("errtype") == "ReservationExpired");
    CHECK(failure.at("message") == "Faktory job reservation expired");
    CHECK(failure.at("remaining") == 25);
}

TEST_CASE("faktory 6 scheduler: a job is enqueued when it is due, never before", "[faktory]") {
    FaktoryServer server(kBrief);
    Wire wire = server.client();
    std::string at = format_rfc3339(
        parse_rfc3339_ms(wire.ask_json("INFO").at("now").get<std::string>()).value() + 1'200);
    std::string jid = push(wire, "due", R"(,"at":")" + at + "\"");
    CHECK(sets_of(wire).at("scheduled") == 1);
    CHECK_FALSE(wire.ask_json("INFO").at("faktory").at("queues").contains("due"));
    std::string text;
    for (int i = 0; i < 8 && !text.starts_with("{"); ++i)
        text = wire.ask("FETCH due");
    auto job = json::parse(text);
    CHECK(job.at("jid") == jid);
    CHECK(job.at("at") == at);  // kept after it was due
    CHECK(at_ms(job, "enqueued_at") >= parse_rfc3339_ms(at).value());
    CHECK(at_ms(wire.ask_json("INFO"), "now") >= parse_rfc3339_ms(at).value());
    CHECK(sets_of(wire).at("scheduled") == 0);
    // In the past is now.
    std::string old = push(wire, "due", R"(,"at":"2001-01-01T00:00:00Z")");
    CHECK(wire.ask_json("FETCH due").at("jid") == old);
}

TEST_CASE("faktory 6: reserved jobs outlive END, a hang-up and a restart", "[faktory]") {
    FaktoryServer server(kBrief);
    std::vector<std::string> jids;
    Wire producer = server.client();
    for (int i = 0; i < 4; ++i)
        jids.push_back(push(producer, "held"));
    {
        Wire ends = server.worker("w-ends"), hangs = server.worker("w-hangs");
        REQUIRE(ends.ask_json("FETCH held").at("jid") == jids[0]);
        REQUIRE(hangs.ask_json("FETCH held").at("jid") == jids[1]);
        ends.send("END\r\n");
        CHECK(ends.closes());
    }
    // As the Perl client: a new connection for each command.
    REQUIRE(server.client().ask_json("FETCH held").at("jid") == jids[2]);
    CHECK(sets_of(producer).at("working") == 3);
    CHECK(server.client().ask(with_jid("ACK", jids[0])) == ok());
    CHECK(sets_of(producer).at("working") == 2);

    server.daemon.kill();
    server.daemon.start();
    Wire again = server.unix_client();
    auto info = again.ask_json("INFO").at("faktory");
    CHECK(info.at("sets").at("working") == 2);
    CHECK(info.at("queues").at("held") == 1);
    CHECK(again.ask(with_jid("ACK", jids[1])) == ok());
    CHECK(again.ask(R"(FAIL {"jid":")" + jids[2] + R"(","message":"late"})") == ok());
    info = again.ask_json("INFO").at("faktory");
    CHECK(info.at("sets") == json{{"dead", 0}, {"retries", 1}, {"scheduled", 0}, {"working", 0}});
    CHECK(info.at("total_processed") == 3);
    CHECK(again.ask_json("FETCH held").at("jid") == jids[3]);
}

TEST_CASE("a worker's late answer after its reservation ended leaves the next run alone",
          "[faktory]") {
    FaktoryServer server(kBrief);
    Wire late = server.worker("w-late"), next = server.worker("w-next");
    std::string jid = push(next, "late", R"(,"reserve_for":1)");
    REQUIRE(late.ask_json("FETCH late").at("jid") == jid);
    REQUIRE(eventually([&] { return sets_of(next).at("retries") == 1; }));
    REQUIRE(next.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})") == ok());
    REQUIRE(next.ask_json("FETCH late").at("jid") == jid);
    SECTION("while jobqd knows who has it") {
        CHECK(late.ask(with_jid("FAIL", jid)) == "-ERR Job not found " + jid);
        CHECK(sets_of(next).at("working") == 1);
        CHECK(next.ask(with_jid("ACK", jid)) == ok());
        CHECK(sets_of(next).at("working") == 0);
    }
    SECTION("and the same worker's next run is its own, also after a restart") {
        REQUIRE(eventually([&] { return sets_of(next).at("retries") == 1; }));
        REQUIRE(next.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})") == ok());
        REQUIRE(next.ask_json("FETCH late").at("jid") == jid);
        server.daemon.kill();
        server.daemon.start();
        Wire again = server.unix_client(R"({"v":2,"wid":"w-next"})");
        CHECK(again.ask(with_jid("FAIL", jid)) == ok());
        CHECK(sets_of(again).at("retries") == 1);
    }
}

TEST_CASE("faktory 6 shutdown: the next line is refused, its connection closed", "[faktory]") {
    // A thread job that runs on keeps the daemon in its stop for a while.
    FaktoryServer server(R"(
[pool.t]
kind = "thread"
queues = ["slow"]
slots = 1
)");
    Wire producer = server.client(), waiting = server.client(), idle = server.client();
    Wire worker = server.worker("w-last"), pipeline = server.client();
    std::string jid = push(producer, "fast"), other = push(producer, "fast");
    REQUIRE(worker.ask_json("FETCH fast").at("jid") == jid);
    REQUIRE(worker.ask_json("FETCH fast").at("jid") == other);
    REQUIRE(
        producer.ask(R"(PUSH {"jid":"slow-sleep","jobtype":"sleep","args":[4],"queue":"slow"})") ==
        ok());
    REQUIRE(eventually([&] { return sets_of(producer).at("working") == 3; }));
    waiting.send("FETCH fast\r\n");
    REQUIRE(waiting.is_silent(100));
    server.daemon.signal(SIGTERM);
    CHECK(waiting.reply() == "$-1");  // cut off
    CHECK(producer.ask("PUSH " + job_of("too-late-1", "fast")) == "-ERR shutdown in progress");
    CHECK(producer.closes());
    pipeline.send("PUSH " + job_of("too-late-2", "fast") + "\nPUSH " +
                  job_of("too-late-3", "fast") + "\n");
    CHECK(pipeline.reply() == "-ERR shutdown in progress");
    CHECK(pipeline.closes());
    CHECK(waiting.ask("FETCH fast") == "-ERR shutdown in progress");
    // What a worker still holds it may finish.
    CHECK(worker.ask(with_jid("ACK", jid)) == ok());
    CHECK(worker.ask(with_jid("FAIL", other)) == ok());
    CHECK(worker.ask(R"(BEAT {"wid":"w-last"})") == ok());
    CHECK(worker.ask("INFO") == "-ERR shutdown in progress");
    CHECK(worker.closes());
    CHECK(idle.closes());
    CHECK(server.daemon.wait_end(20));
    server.daemon.start();
    Wire again = server.unix_client();
    auto info = again.ask_json("INFO").at("faktory");
    CHECK(info.at("sets").at("retries") == 1);
    CHECK(info.at("queues").at("fast") == 0);
}

TEST_CASE("faktory 6 shutdown: an idle server still says why it closes", "[faktory]") {
    FaktoryServer server("");
    Wire wire = server.client();
    server.daemon.signal(SIGTERM);
    std::string answer = wire.ask("INFO");
    while (answer.starts_with("{"))  // until the signal has arrived
        answer = wire.ask("INFO");
    CHECK(answer == "-ERR shutdown in progress");
    CHECK(wire.closes());
    CHECK(server.daemon.wait_end(20));
}

}  // namespace jobq::test
