// Faktory Work Protocol 2, sections 1 to 3: framing, handshake, the states of connections and
// workers, over TCP and a Unix socket. Row by row: what a Faktory 1.10 answers, jobqd answers.
#include <catch2/catch.hpp>
#include <chrono>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

const std::string kInfoStart = R"({"now":")";

// The bytes of a whole conversation, then END: all that the server says.
std::string says(const std::string& bytes) {
    Wire wire = shared().connect();
    wire.send(bytes + "END\n");
    return wire.bytes(1 << 20);
}

const std::string kHi = "+HI {\"v\":2}\r\n", kHello = "HELLO {\"v\":2}\r\n", kOk = "+OK\r\n";

struct Spelling {
    const char* name;
    std::string bytes, said;
};

}  // namespace

TEST_CASE("faktory 1 framing: lines, verbs and the forms of replies", "[faktory]") {
    const std::string unknown = "-ERR unknown command ";
    const std::string push = "PUSH " + job_of(fresh("framing-"), "framing");
    const Spelling rows[] = {
        {"faktory 1: CR LF ends a line", kHello + push + "\r\n", kHi + kOk + kOk},
        {"faktory 1: LF alone ends a line", "HELLO {\"v\":2}\n" + push + "\n", kHi + kOk + kOk},
        {"faktory 1: a verb in lower case is unknown", kHello + "info\r\n",
         kHi + kOk + unknown + "info\r\n"},
        {"faktory 1: an empty line is an unknown command", kHello + "\r\n",
         kHi + kOk + unknown + "\r\n"},
        {"faktory 1: an empty line of LF alone", kHello + "\n", kHi + kOk + unknown + "\r\n"},
        {"faktory 1: FLUSH with a trailing space", kHello + "FLUSH \r\n", kHi + kOk + kOk},
        {"faktory 1: the verb ends at the first space", kHello + " INFO\r\n",
         kHi + kOk + unknown + "\r\n"},
        {"faktory 1: JSON with spaces",
         kHello + R"(PUSH { "jid" : "spaces-123", "jobtype" : "T", "args" : [ 1 ] })" + "\r\n",
         kHi + kOk + kOk},
        {"faktory 1: no RESP arrays", kHello + "*1\r\n$4\r\nINFO1\r\n",
         kHi + kOk + unknown + "*1\r\n" + unknown + "$4\r\n" + unknown + "INFO1\r\n"},
        {"faktory 1: a bulk reply counts its bytes", kHello + "QUEUE LATENCY none\r\n",
         kHi + kOk + "$10\r\n{\"none\":0}\r\n"},
        {"faktory 1: commands in one write are answered in order",
         kHello + "x\r\nACK {\"jid\":\"none\"}\r\ny\n",
         kHi + kOk + unknown + "x\r\n" + kOk + unknown + "y\r\n"},
        {"faktory 1: HELLO twice is an unknown command", kHello + kHello,
         kHi + kOk + unknown + "HELLO\r\n"},
    };
    for (const auto& row : rows) {
        DYNAMIC_SECTION(row.name) {
            CHECK(says(row.bytes) == row.said);
        }
    }
    SECTION("faktory 1: INFO with a trailing space") {
        CHECK(shared().client().ask("INFO ").starts_with(kInfoStart));
    }
    SECTION("faktory 1: bulk replies count bytes, not characters") {
        Wire wire = shared().client();
        std::string queue = fresh("utf8");
        REQUIRE(wire.ask("PUSH " + job_of(fresh("utf8-jid-"), queue, R"(,"custom":{"é":"€"})")) ==
                ok());
        CHECK(wire.ask_json("FETCH " + queue).at("custom").at("é") == "€");
    }
}

TEST_CASE("faktory 1 framing: a pipeline behind a FETCH that waits", "[faktory]") {
    Wire wire = shared().client();
    std::string queue = fresh("behind");
    wire.send("FETCH " + queue + "\r\nACK {\"jid\":\"none\"}\r\nx\r\n");
    CHECK(wire.is_silent(300));
    REQUIRE(shared().client().ask("PUSH " + job_of(fresh("behind-"), queue)) == ok());
    CHECK(wire.reply().starts_with("{"));
    CHECK(wire.reply() == ok());
    CHECK(wire.reply() == "-ERR unknown command x");
}

TEST_CASE("faktory 2 handshake: what a HELLO may be", "[faktory]") {
    const char* good[] = {
        R"({})",
        R"({"v":2})",
        R"({"v":255,"unknown":[1]})",
        R"({"hostname":"h","pid":1,"labels":["a","b"],"username":"u","rss_kb":5})",
        R"({"v":null,"wid":null,"pwdhash":null,"labels":null,"pid":null})",
        R"({"wid":"","v":2})",
        R"({"v":2,"pwdhash":"of-no-use-without-a-password"})",
        R"({ "V" : 2 , "Labels" : [] } )",
    };
    for (std::string hello : good) {
        DYNAMIC_SECTION("faktory 2 HELLO: " << hello << " is welcome") {
            CHECK(shared().client(hello).ask("ACK {\"jid\":\"none\"}") == ok());
            CHECK(shared().unix_client(hello).ask("ACK {\"jid\":\"none\"}") == ok());
        }
    }
    const char* bad[] = {"HELLO",
                         "HELLO ",
                         "HELLO  {\"v\":2}",
                         "HELLO [1]",
                         "hello {\"v\":2}",
                         "INFO",
                         "",
                         "HELLO {",
                         "HELLO {\"v\":2}x",
                         "HELLO {\"v\":\"2\"}",
                         "HELLO {\"v\":256}",
                         "HELLO {\"v\":-1}",
                         "HELLO {\"v\":2.0}",
                         "HELLO {\"pid\":\"1\"}",
                         "HELLO {\"rss_kb\":1.5}",
                         "HELLO {\"labels\":\"a\"}",
                         "HELLO {\"labels\":[1]}",
                         "HELLO {\"wid\":1}",
                         "HELLO {\"hostname\":{}}",
                         "HELLO {\"pwdhash\":1}",
                         "HELLO {\"username\":true}",
                         "PUSH {\"jid\":\"12345678\",\"jobtype\":\"T\",\"args\":[]}"};
    for (std::string line : bad) {
        DYNAMIC_SECTION("faktory 2 HELLO: '" << line << "' is closed without a word") {
            Wire wire = shared().connect();
            REQUIRE(wire.reply() == "+HI {\"v\":2}");
            wire.send(line + "\r\n");
            CHECK(wire.closes());
        }
    }
    SECTION("faktory 2: the greeting's bytes, and +OK as HELLO's answer") {
        Wire wire = shared().connect();
        CHECK(wire.bytes(13) == kHi);
        wire.send(kHello);
        CHECK(wire.bytes(5) == kOk);
    }
}

TEST_CASE("faktory 2 handshake: it is over within two seconds or closed silently", "[faktory]") {
    Wire quiet = shared().connect(), half = shared().connect(), slow = shared().connect();
    Wire known = shared().client();
    auto began = std::chrono::steady_clock::now();
    half.send("HELLO {\"v\"");
    for (Wire* wire : {&quiet, &half, &slow})
        REQUIRE(wire->reply() == "+HI {\"v\":2}");
    std::string trickle = "HELLO {\"hostname\":\"" + std::string(1000, 'x');
    size_t sent = 0;
    // A byte every 50 ms does not keep it open.
    while (slow.is_silent(50) && sent < trickle.size())
        slow.send(trickle.substr(sent++, 1));
    CHECK(sent < 60);
    CHECK(quiet.closes());
    CHECK(half.closes());
    auto took = std::chrono::steady_clock::now() - began;
    CHECK(took > std::chrono::milliseconds(1'500));
    // Once identified there is no idle limit.
    CHECK(known.ask("ACK {\"jid\":\"none\"}") == ok());
}

TEST_CASE("faktory 2 handshake: over the connection limit +OK, an error, and close", "[faktory]") {
    FaktoryServer server("[listen]\nconnections = 2\n");
    std::vector<Wire> open;
    open.push_back(server.client());
    open.push_back(server.client());
    Wire third = server.connect();
    REQUIRE(third.reply() == "+HI {\"v\":2}");
    CHECK(third.ask("HELLO {\"v\":2}") == ok());
    CHECK(third.reply() == "-ERR too many connections: 3");
    CHECK(third.closes());
    CHECK(open[0].ask("ACK {\"jid\":\"none\"}") == ok());
    open.pop_back();
    CHECK(eventually([&] {
        Wire again = server.connect();
        again.reply();
        return again.ask("HELLO {\"v\":2}") == "+OK" && again.ask("nop").starts_with("-ERR unk");
    }));
}

TEST_CASE("faktory 3 states: BEAT and the states of a worker", "[faktory]") {
    Wire wire = shared().worker("w-states");
    auto beat = [&](const std::string& more) {
        return wire.ask(R"(BEAT {"wid":"w-states")" + more + "}");
    };
    SECTION("faktory 3 BEAT: running, quiet, terminate, never back") {
        CHECK(beat("") == ok());
        CHECK(beat(R"(,"rss_kb":1234)") == ok());
        CHECK(beat(R"(,"current_state":null)") == ok());
        CHECK(beat(R"(,"current_state":"")") == ok());
        CHECK(beat(R"(,"current_state":"resting")") == ok());
        CHECK(beat(R"(,"current_state":"quiet")") == R"({"state":"quiet"})");
        CHECK(beat("") == R"({"state":"quiet"})");
        CHECK(beat(R"(,"current_state":"running")") == R"({"state":"quiet"})");
        CHECK(beat(R"(,"current_state":"terminate")") == R"({"state":"terminate"})");
        CHECK(beat(R"(,"current_state":"quiet")") == R"({"state":"terminate"})");
        CHECK(beat("") == R"({"state":"terminate"})");
    }
    SECTION("faktory 3 BEAT: from any connection, for any wid") {
        CHECK(shared().client().ask(R"(BEAT {"wid":"w-states"} )") == ok());
    }
    SECTION("faktory 3 BEAT: an unknown worker, and what is no BEAT") {
        CHECK(wire.ask(R"(BEAT {"wid":"nobody"})") == "-ERR unknown worker nobody");
        CHECK(wire.ask(R"(BEAT {})") == "-ERR unknown worker ");
        CHECK(wire.ask("BEAT {\"wid\":") == "-ERR invalid BEAT {\"wid\":");
        CHECK(wire.ask(R"(BEAT {"wid":1})") == R"(-ERR invalid BEAT {"wid":1})");
        CHECK(wire.ask(R"(BEAT [])") == "-ERR invalid BEAT []");
        CHECK(wire.ask("BEAT") == "-ERR internal error");
    }
    SECTION("faktory 3: a worker is gone with its last connection, not before") {
        Wire second = shared().worker("w-states");
        wire.close();
        CHECK(second.ask(R"(BEAT {"wid":"w-states"})") == ok());
        second.close();
        Wire other = shared().client();
        CHECK(eventually([&] {
            return other.ask(R"(BEAT {"wid":"w-states"})") == "-ERR unknown worker w-states";
        }));
    }
}

TEST_CASE("faktory 3 states: quiet gates FETCH on all connections of a worker, nothing else",
          "[faktory]") {
    std::string queue = fresh("gated"), jid = fresh("gated-jid-");
    Wire first = shared().worker("w-gated"), second = shared().worker("w-gated");
    Wire other = shared().worker("w-free");
    REQUIRE(first.ask("PUSH " + job_of(jid, queue)) == ok());
    REQUIRE(first.ask(R"(BEAT {"wid":"w-gated","current_state":"quiet"})") ==
            R"({"state":"quiet"})");
    auto began = std::chrono::steady_clock::now();
    first.send("FETCH " + queue + "\r\n");
    second.send("FETCH " + queue + "\r\n");
    CHECK(first.reply() == "$-1");
    CHECK(second.reply() == "$-1");
    auto took = std::chrono::steady_clock::now() - began;
    CHECK(took >= std::chrono::milliseconds(1'850));
    CHECK(second.ask("PUSH " + job_of(fresh("gated-jid-"), queue)) == ok());
    CHECK(second.ask("INFO").starts_with(kInfoStart));
    CHECK(second.ask("ACK {\"jid\":\"none\"}") == ok());
    CHECK(second.ask("FAIL {\"jid\":\"none\"}") == "-ERR Job not found none");
    CHECK(other.ask_json("FETCH " + queue).at("jid") == jid);
    SECTION("faktory 3 quiet: a FETCH that waits already takes nothing more") {
        std::string later = fresh("gated-later");
        Wire waiting = shared().worker("w-late"), next = shared().client();
        waiting.send("FETCH " + later + "\r\n");
        REQUIRE(waiting.is_silent(100));
        next.send("FETCH " + later + "\r\n");
        REQUIRE(next.is_silent(100));
        REQUIRE(shared().client().ask(R"(BEAT {"wid":"w-late","current_state":"quiet"})") ==
                R"({"state":"quiet"})");
        std::string job = fresh("gated-jid-");
        REQUIRE(other.ask("PUSH " + job_of(job, later)) == ok());
        // Its place in the line goes to the next, before that one's own wait is over.
        std::string taken = next.reply();
        INFO(taken);
        CHECK(contains(taken, job));
        CHECK(waiting.reply() == "$-1");
    }
}

TEST_CASE("faktory 3 states: who sends no BEAT is closed, its jobs stay reserved", "[faktory]") {
    FaktoryServer server("[server]\nworker_timeout = \"1s\"\n");
    Wire first = server.worker("silent"), second = server.worker("silent");
    Wire beats = server.worker("beats"), producer = server.client();
    REQUIRE(producer.ask("PUSH " + job_of("reaped-job-1", "reaped")) == ok());
    REQUIRE(first.ask_json("FETCH reaped").at("jid") == "reaped-job-1");
    auto began = std::chrono::steady_clock::now();
    while (first.is_silent(100) &&
           std::chrono::steady_clock::now() - began < std::chrono::seconds(8))
        CHECK(beats.ask(R"(BEAT {"wid":"beats"})") == ok());
    CHECK(first.closes());
    CHECK(second.closes());
    CHECK(beats.ask(R"(BEAT {"wid":"silent"})") == "-ERR unknown worker silent");
    // Who gave no wid is no worker.
    CHECK(producer.ask("FETCH reaped") == "$-1");
    auto info = producer.ask_json("INFO").at("faktory");
    CHECK(info.at("sets").at("working") == 1);
    CHECK(producer.ask("ACK {\"jid\":\"reaped-job-1\"}") == ok());
    CHECK(producer.ask_json("INFO").at("faktory").at("total_processed") == 1);
}

}  // namespace jobq::test
