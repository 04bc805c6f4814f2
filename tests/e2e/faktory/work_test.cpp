// Faktory Work Protocol 2, section 4: FETCH, ACK and FAIL, and the failures of section 5, row by
// row.
#include <catch2/catch.hpp>
#include <chrono>
#include <regex>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

int64_t since_ms(Clock::time_point began) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count();
}

std::string push(Wire& wire, const std::string& queue, const std::string& more = "") {
    std::string jid = fresh("work-jid-");
    REQUIRE(wire.ask("PUSH " + job_of(jid, queue, more)) == ok());
    return jid;
}

std::string with_jid(const std::string& verb, const std::string& jid,
                     const std::string& more = "") {
    return verb + R"( {"jid":")" + jid + "\"" + more + "}";
}

json faktory_info(Wire& wire) {
    return wire.ask_json("INFO").at("faktory");
}

// The failure object of a job after a FAIL with these members, fetched again by a requeue.
json failure_of(const std::string& members) {
    Wire wire = shared().client();
    std::string queue = fresh("failed"), jid = push(wire, queue);
    REQUIRE(wire.ask_json("FETCH " + queue).at("jid") == jid);
    REQUIRE(wire.ask(with_jid("FAIL", jid, members)) == ok());
    REQUIRE(wire.ask(R"(MUTATE {"cmd":"requeue","target":"retries","filter":{"jids":[")" + jid +
                     "\"]}}") == ok());
    auto job = wire.ask_json("FETCH " + queue);
    wire.ask(with_jid("ACK", jid));
    return job.at("failure");
}

}  // namespace

TEST_CASE("faktory 4 FETCH: queues in the order given, each first in first out", "[faktory]") {
    Wire wire = shared().client();
    std::string a = fresh("order"), b = fresh("order");
    std::string b1 = push(wire, b), a1 = push(wire, a), a2 = push(wire, a), b2 = push(wire, b);
    for (const auto& jid : {a1, a2, b1, b2})
        CHECK(wire.ask_json("FETCH none " + a + " " + b).at("jid") == jid);
    SECTION("faktory 4 FETCH: no queue at all") {
        CHECK(wire.ask("FETCH") == "-ERR must call fetch with at least one queue");
    }
    SECTION("faktory 4 FETCH: many spaces are none") {
        std::string jid = push(wire, a);
        CHECK(wire.ask_json("FETCH  " + a + "  " + b + " ").at("jid") == jid);
    }
    SECTION("faktory 4 FETCH: any connection may take, a producer too") {
        std::string jid = push(wire, a);
        CHECK(shared().unix_client().ask_json("FETCH " + a).at("jid") == jid);
        CHECK(wire.ask(with_jid("ACK", jid)) == ok());
    }
}

TEST_CASE("faktory 4 FETCH: without a job it is answered after 1.9 seconds", "[faktory]") {
    Wire idle = shared().client(), unknown = shared().client(), nothing = shared().client(),
         paused = shared().client(), odd = shared().client();
    std::string queue = fresh("paused");
    push(idle, queue);
    REQUIRE(idle.ask("QUEUE PAUSE " + queue) == ok());
    auto began = Clock::now();
    idle.send("FETCH " + fresh("idle") + "\r\n");
    unknown.send("FETCH never-heard-of\r\n");
    nothing.send("FETCH \r\n");  // as a client without queues
    paused.send("FETCH " + queue + "\r\n");
    odd.send("FETCH a/b \x01 * ?\r\n");
    for (Wire* wire : {&idle, &unknown, &nothing, &paused, &odd})
        CHECK(wire->reply() == "$-1");
    CHECK(since_ms(began) >= 1'850);
    CHECK(since_ms(began) < 3'500);
    // Unknown names are no queues from then on.
    CHECK_FALSE(faktory_info(idle).at("queues").contains("never-heard-of"));
    CHECK(idle.ask("QUEUE RESUME " + queue) == ok());
    CHECK(paused.ask("FETCH " + queue).starts_with("{"));
}

TEST_CASE("rule 8 FETCH: a push to any queue wakes one waiter at once, the longest waiting first",
          "[faktory]") {
    std::string a = fresh("wake"), b = fresh("wake");
    Wire first = shared().client(), second = shared().client(), third = shared().client();
    Wire producer = shared().client();
    first.send("FETCH " + a + " " + b + "\r\n");
    REQUIRE(first.is_silent(60));
    second.send("FETCH " + a + " " + b + "\r\n");
    REQUIRE(second.is_silent(60));
    third.send("FETCH " + b + "\r\n");
    REQUIRE(third.is_silent(60));
    auto began = Clock::now();
    std::string one = push(producer, b);
    CHECK(contains(first.reply(), one));
    std::string two = push(producer, b);
    CHECK(contains(second.reply(), two));
    CHECK(since_ms(began) < 1'000);
    CHECK(third.is_silent(100));
    std::string three = push(producer, b);
    CHECK(contains(third.reply(), three));
}

TEST_CASE("section 11 FETCH: who hangs up while it waits takes no job with it", "[faktory]") {
    std::string queue = fresh("ghost");
    Wire producer = shared().client(), next = shared().client();
    {
        Wire ghost = shared().client(), half = shared().unix_client();
        ghost.send("FETCH " + queue + "\r\n");
        half.send("FETCH " + queue + "\r\n");
        REQUIRE(ghost.is_silent(100));
        half.half_close();
        CHECK(half.reply() == "$-1");
    }
    std::string jid = push(producer, queue);
    auto began = Clock::now();
    CHECK(next.ask_json("FETCH " + queue).at("jid") == jid);
    CHECK(since_ms(began) < 1'000);
    CHECK(next.ask(with_jid("ACK", jid)) == ok());
}

TEST_CASE("section 11: what came before the client closed its side is done", "[faktory]") {
    std::string queue = fresh("eof");
    Wire wire = shared().connect();
    wire.send("HELLO {}\nPUSH " + job_of(fresh("eof-jid-"), queue) + "\nPUSH " +
              job_of(fresh("eof-jid-"), queue) + "\nPUSH {\"jid\":\"half a line");
    wire.half_close();
    CHECK(wire.bytes(1 << 20) == "+HI {\"v\":2}\r\n+OK\r\n+OK\r\n+OK\r\n");
    Wire other = shared().client();
    CHECK(faktory_info(other).at("queues").at(queue) == 2);
}

TEST_CASE("faktory 4 ACK: +OK also for a job that is not reserved", "[faktory]") {
    Wire wire = shared().client(), other = shared().client();
    std::string queue = fresh("acked"), jid = push(wire, queue);
    int64_t before = faktory_info(wire).at("total_processed");
    SECTION("faktory 4 ACK: from any connection, counted once") {
        REQUIRE(wire.ask_json("FETCH " + queue).at("jid") == jid);
        CHECK(other.ask(with_jid("ACK", jid)) == ok());
        CHECK(other.ask(with_jid("ACK", jid)) == ok());
        CHECK(faktory_info(wire).at("total_processed") == before + 1);
        CHECK(wire.ask(with_jid("FAIL", jid)) == "-ERR Job not found " + jid);
    }
    SECTION("faktory 4 ACK: unknown or not fetched yet") {
        CHECK(wire.ask(with_jid("ACK", "never-there")) == ok());
        CHECK(wire.ask(with_jid("ACK", jid)) == ok());
        CHECK(faktory_info(wire).at("total_processed") == before);
        CHECK(wire.ask_json("FETCH " + queue).at("jid") == jid);
    }
    const char* bad[] = {"",
                         "{",
                         "[]",
                         "{}",
                         "\"jid\"",
                         R"({"jid":""})",
                         R"({"jid":null})",
                         R"({"jid":1})",
                         R"({"jid":"12345678","result":{"a":1}})",
                         R"({"jid":"12345678","n":1})",
                         R"({"jid":"12345678"}x)"};
    for (std::string argument : bad) {
        DYNAMIC_SECTION("faktory 4 ACK: '" << argument << "' is invalid") {
            CHECK(wire.ask("ACK " + argument) == "-ERR invalid ACK " + argument);
        }
    }
    SECTION("faktory 4 ACK: more members are fine when they are strings") {
        CHECK(wire.ask(R"(ACK {"jid":"none-such","x":"y"} )") == ok());
        CHECK(wire.ask("ACK") == "-ERR internal error");
    }
}

TEST_CASE("an answer sent again does not end the run another worker has begun", "[faktory]") {
    Wire first = shared().worker(fresh("wid-")), second = shared().worker(fresh("wid-"));
    Wire plain = shared().client();
    std::string queue = fresh("again"), jid = push(first, queue);
    const std::string failed = with_jid("FAIL", jid, R"(,"errtype":"E","message":"m")");
    const std::string requeue =
        R"(MUTATE {"cmd":"requeue","target":"retries","filter":{"jids":[")" + jid + "\"]}}";
    REQUIRE(first.ask_json("FETCH " + queue).at("jid") == jid);
    REQUIRE(first.ask(failed) == ok());
    REQUIRE(plain.ask(requeue) == ok());
    REQUIRE(second.ask_json("FETCH " + queue).at("jid") == jid);
    CHECK(first.ask(failed) == "-ERR Job not found " + jid);
    CHECK(first.ask(with_jid("ACK", jid)) == ok());
    SECTION("the second run counts, whatever its end") {
        CHECK(second.ask(failed) == ok());
        REQUIRE(plain.ask(requeue) == ok());
        CHECK(plain.ask_json("FETCH " + queue).at("failure").at("retry_count") == 1);
        CHECK(plain.ask(with_jid("ACK", jid)) == ok());
    }
    SECTION("who has no name may still end it, and so may a worker that never had it") {
        const int64_t before = faktory_info(plain).at("total_processed");
        Wire third = shared().worker(fresh("wid-"));
        CHECK(third.ask(with_jid("ACK", jid)) == ok());
        CHECK(faktory_info(plain).at("total_processed") == before + 1);
    }
    SECTION("the worker that failed may have it again") {
        CHECK(second.ask(failed) == ok());
        REQUIRE(plain.ask(requeue) == ok());
        CHECK(second.ask_json("FETCH " + queue).at("jid") == jid);
        CHECK(second.ask(failed) == ok());
    }
}

TEST_CASE("faktory 4 FAIL: whatever bytes the error has, it is kept", "[faktory]") {
    CHECK(failure_of(R"(,"errtype":"E","message":"a\ud800b")").at("message") == "a\uFFFDb");
    CHECK(failure_of(",\"errtype\":\"E\",\"message\":\"caf\xE9\"").at("message") == "caf\uFFFD");
}

TEST_CASE("faktory 4 FAIL: what is refused", "[faktory]") {
    Wire wire = shared().client();
    const char* bad[] = {"",
                         "{",
                         "[]",
                         "null",
                         R"({"jid":1})",
                         R"({"jid":"12345678","errtype":5})",
                         R"({"jid":"12345678","message":{}})",
                         R"({"jid":"12345678","backtrace":"x"})",
                         R"({"jid":"12345678","backtrace":[1]})"};
    for (std::string argument : bad) {
        DYNAMIC_SECTION("faktory 4 FAIL: '" << argument << "' is invalid") {
            CHECK(wire.ask("FAIL " + argument) == "-ERR invalid FAIL " + argument);
        }
    }
    SECTION("faktory 4 FAIL: without a jid, of an unknown or a waiting job") {
        CHECK(wire.ask("FAIL {}") == "-ERR missing JID");
        CHECK(wire.ask(R"(FAIL {"jid":null})") == "-ERR missing JID");
        CHECK(wire.ask(R"(FAIL {"jid":""})") == "-ERR missing JID");
        CHECK(wire.ask(R"(FAIL {"jid":"no-such-job"})") == "-ERR Job not found no-such-job");
        std::string jid = push(wire, fresh("waiting"));
        CHECK(wire.ask(with_jid("FAIL", jid)) == "-ERR Job not found " + jid);
        CHECK(wire.ask("FAIL") == "-ERR internal error");
    }
    SECTION("faktory 4 FAIL: counted as processed and as failed, from any connection") {
        std::string queue = fresh("counted"), jid = push(wire, queue);
        auto before = faktory_info(wire);
        REQUIRE(wire.ask_json("FETCH " + queue).at("jid") == jid);
        Wire other = shared().client();
        CHECK(other.ask(with_jid("FAIL", jid)) == ok());
        CHECK(other.ask(with_jid("FAIL", jid)) == "-ERR Job not found " + jid);
        CHECK(other.ask(with_jid("ACK", jid)) == ok());
        auto after = faktory_info(wire);
        CHECK(after.at("total_failures") == before.at("total_failures").get<int>() + 1);
        CHECK(after.at("total_processed") == before.at("total_processed").get<int>() + 1);
        CHECK(after.at("sets").at("retries") == before.at("sets").at("retries").get<int>() + 1);
    }
}

TEST_CASE("faktory 5 failure: errtype, message and backtrace are trimmed and cut", "[faktory]") {
    SECTION("faktory 5 failure: what is missing is unknown, what is empty is left out") {
        auto failure = failure_of("");
        CHECK(failure.at("errtype") == "unknown");
        CHECK(failure.at("message") == "unknown");
        CHECK_FALSE(failure.contains("backtrace"));
        CHECK(failure.at("retry_count") == 0);
        CHECK(failure.at("remaining") == 25);
    }
    SECTION("faktory 5 failure: blanks count as empty, null as absent") {
        auto failure = failure_of(R"(,"errtype":" \t\n","message":"  ","backtrace":null)");
        CHECK(failure.at("errtype") == "unknown");
        CHECK(failure.at("message") == "unknown");
    }
    SECTION("faktory 5 failure: trimmed") {
        auto failure = failure_of(R"(,"errtype":" E1 ","message":"\n two words ")");
        CHECK(failure.at("errtype") == "E1");
        CHECK(failure.at("message") == "two words");
    }
    SECTION("faktory 5 failure: 100 bytes of errtype, 1000 of message, 50 lines") {
        std::string lines = "\"line 1\"";
        for (int i = 2; i <= 60; ++i)
            lines += ",\"line " + std::to_string(i) + "\"";
        auto failure = failure_of(R"(,"errtype":")" + std::string(150, 'e') + R"(","message":")" +
                                  std::string(1500, 'm') + R"(","backtrace":[)" + lines + "]");
        CHECK(failure.at("errtype") == std::string(100, 'e'));
        CHECK(failure.at("message") == std::string(1000, 'm'));
        CHECK(failure.at("backtrace").size() == 50);
        CHECK(failure.at("backtrace").back() == "line 50");
    }
    SECTION("section 11 failure: cut at a character, not inside it") {
        auto failure = failure_of(R"(,"errtype":")" + std::string(99, 'e') + "\xC3\xA9\"");
        CHECK(failure.at("errtype") == std::string(99, 'e'));
    }
    SECTION("faktory 5 failure: dusty's errType in another case") {
        CHECK(failure_of(R"(,"errType":"Cased")").at("errtype") == "Cased");
    }
    SECTION("faktory 5 failure: its members in Faktory's order, next_at left out when it is due") {
        Wire wire = shared().client();
        std::string queue = fresh("shape"), jid = push(wire, queue, R"(,"retry":3)");
        wire.ask("FETCH " + queue);
        REQUIRE(wire.ask(with_jid("FAIL", jid,
                                  R"(,"errtype":"E","message":"M","backtrace":["b"])")) == ok());
        REQUIRE(wire.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})") == ok());
        std::string text = wire.ask("FETCH " + queue);
        INFO(text);
        CHECK(std::regex_search(
            text,
            std::regex(R"(^\{"retry":3,"failure":\{"failed_at":"[^"]+Z",("next_at":"[^"]+Z",)?)"
                       R"("message":"M","errtype":"E","backtrace":\["b"\],"retry_count":0,)"
                       R"("remaining":3\},"jid":)")));
    }
}

TEST_CASE("rule 9 of section 13: a worker that pushes and works on one connection", "[faktory]") {
    Wire wire = shared().worker("w-all");
    std::string queue = fresh("all");
    for (int i = 0; i < 50; ++i) {
        std::string jid = push(wire, queue);
        REQUIRE(wire.ask_json("FETCH " + queue).at("jid") == jid);
        REQUIRE(wire.ask(i % 2 ? with_jid("ACK", jid) : with_jid("FAIL", jid)) == ok());
    }
    CHECK(wire.ask(R"(BEAT {"wid":"w-all","rss_kb":1})") == ok());
}

}  // namespace jobq::test
