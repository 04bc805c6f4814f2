// Faktory Work Protocol 2, section 4: INFO, FLUSH, END, QUEUE and MUTATE, row by row. Sets and
// totals are the whole server's, so each case has a jobqd of its own.
#include <catch2/catch.hpp>
#include <regex>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

json faktory_info(Wire& wire) {
    return wire.ask_json("INFO").at("faktory");
}

// How many jobs a set of INFO holds.
int64_t size_of(Wire& wire, const char* set) {
    return faktory_info(wire).at("sets").at(set);
}

void push(Wire& wire, const std::string& job) {
    INFO(job);
    REQUIRE(wire.ask("PUSH " + job) == ok());
}

// Pushed, fetched and failed: in retries, or in dead when it has no retries.
void fail_once(Wire& wire, const std::string& jid, const std::string& members = "") {
    push(wire, R"({"jid":")" + jid + R"(","queue":"mutated")" + members + "}");
    REQUIRE(wire.ask_json("FETCH mutated").at("jid") == jid);
    REQUIRE(wire.ask(R"(FAIL {"jid":")" + jid + R"(","errtype":"E","message":"M"})") == ok());
}

std::string mutate(Wire& wire, const std::string& what) {
    return wire.ask("MUTATE " + what);
}

}  // namespace

TEST_CASE("faktory 4 INFO: its exact shape, types and order of keys", "[faktory]") {
    FaktoryServer server;
    Wire wire = server.worker("w-info");
    push(wire, job_of("info-job-1", "b"));
    push(wire, job_of("info-job-2", "a"));
    push(wire, job_of("info-job-3", "a"));
    push(wire, job_of("info-job-4", "z", R"(,"at":"2999-01-01T00:00:00Z")"));
    wire.ask("FETCH b");
    REQUIRE(wire.ask("QUEUE PAUSE a") == ok());
    std::string text = wire.ask("INFO");
    INFO(text);
    const std::string set = R"(\{"cycles":\d+,"enqueued":\d+,"size":)";
    const std::string end = R"(,"wall_time_sec":\d+(\.\d+)?\})";
    std::regex shape(
        R"(\{"now":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z","server_utc_time":"\d\d:\d\d:\d\d UTC",)"
        R"("faktory":\{"queues":\{"a":2,"b":0\},)"
        R"("sets":\{"dead":0,"retries":0,"scheduled":1,"working":1\},)"
        R"("tasks":\{"Busy":\{"reaped":\d+,"size":1\},"Dead":)" +
        set + "0" + end + R"(,"Retries":)" + set + "0" + end + R"(,"Scheduled":)" + set + "1" +
        end +
        R"(,"Workers":\{"reaped":\d+,"size":1\}\},)"
        R"("total_failures":0,"total_processed":0,"total_enqueued":2,"total_queues":2\},)"
        R"("server":\{"description":"[^"]+","faktory_version":"1\.10\.0","uptime":\d+,)"
        R"("connections":1,"command_count":8,"used_memory_mb":[1-9]\d*,"jobqd_version":"[^"]+"\}\})");
    CHECK(std::regex_match(text, shape));
    SECTION("faktory 4 INFO: connections, workers and processed follow") {
        Wire other = server.client();
        CHECK(wire.ask_json("INFO").at("server").at("connections") == 2);
        wire.ask(R"(ACK {"jid":"info-job-1"})");
        wire.close();
        CHECK(
            eventually([&] { return other.ask_json("INFO").at("server").at("connections") == 1; }));
        auto faktory = faktory_info(other);
        CHECK(faktory.at("tasks").at("Workers").at("size") == 0);
        CHECK(faktory.at("tasks").at("Busy").at("size") == 0);
        CHECK(faktory.at("total_processed") == 1);
    }
}

TEST_CASE("faktory 4 FLUSH: all jobs go, names, pauses, workers and reservations stay",
          "[faktory]") {
    FaktoryServer server;
    Wire wire = server.worker("w-flush");
    for (std::string jid : {"flush-job-1", "flush-job-2", "flush-job-3"})
        push(wire, job_of(jid, "flushed"));
    push(wire, job_of("flush-job-4", "held"));
    push(wire, job_of("flush-later", "later", R"(,"at":"2999-01-01T00:00:00Z")"));
    REQUIRE(wire.ask_json("FETCH flushed").at("jid") == "flush-job-1");
    REQUIRE(wire.ask_json("FETCH flushed").at("jid") == "flush-job-2");
    REQUIRE(wire.ask("QUEUE PAUSE held") == ok());
    CHECK(wire.ask("FLUSH") == ok());
    auto faktory = faktory_info(wire);
    CHECK(faktory.at("queues") == json{{"flushed", 0}, {"held", 0}});
    CHECK(faktory.at("sets").at("scheduled") == 0);
    CHECK(faktory.at("total_processed") == 0);
    CHECK(faktory.at("tasks").at("Workers").at("size") == 1);
    CHECK(wire.ask(R"(ACK {"jid":"flush-job-1"})") == ok());
    CHECK(wire.ask(R"(FAIL {"jid":"flush-job-2"})") == ok());
    CHECK(size_of(wire, "retries") == 0);
    CHECK(wire.ask(R"(FAIL {"jid":"flush-job-2"})") == "-ERR Job not found flush-job-2");
    push(wire, job_of("flush-job-5", "held"));
    push(wire, job_of("flush-job-1", "flushed"));  // the jid is free again
    CHECK(wire.ask_json("FETCH held flushed").at("jid") == "flush-job-1");
    REQUIRE(wire.ask("QUEUE RESUME held") == ok());
    CHECK(wire.ask_json("FETCH held").at("jid") == "flush-job-5");
    SECTION("rule 10 FLUSH: only where the configuration allows it") {
        FaktoryServer strict("");
        Wire other = strict.client();
        push(other, job_of("flush-kept", "kept"));
        CHECK(other.ask("FLUSH") == "-ERR FLUSH is disabled");
        CHECK(other.ask_json("FETCH kept").at("jid") == "flush-kept");
    }
}

TEST_CASE("faktory 4 END: the server just closes", "[faktory]") {
    for (std::string end : {"END\r\n", "END\n", "END \r\n"}) {
        Wire wire = shared().client();
        wire.send(end);
        CHECK(wire.closes());
    }
    Wire wire = shared().client();
    wire.send("ACK {\"jid\":\"none\"}\nEND\nACK {\"jid\":\"none\"}\n");
    CHECK(wire.reply() == ok());
    CHECK(wire.closes());
}

TEST_CASE("faktory 4: verbs of the Enterprise server are known", "[faktory]") {
    Wire wire = shared().client();
    CHECK_FALSE(wire.ask("TRACK GET none-such-jid").starts_with("-ERR unknown command"));
    CHECK_FALSE(wire.ask("BATCH STATUS b-none").starts_with("-ERR unknown command"));
}

TEST_CASE("faktory 4 QUEUE: pause, resume, remove, latency", "[faktory]") {
    FaktoryServer server;
    Wire wire = server.client();
    for (std::string queue : {"q1", "q2", "q3"})
        push(wire, job_of("queue-" + queue, queue));
    auto taken = [&](const std::string& queues) {
        std::string text = wire.ask("FETCH " + queues);
        return text == "$-1" ? text : json::parse(text).at("queue").get<std::string>();
    };
    SECTION("faktory 4 QUEUE: some names, unknown ones skipped, sub in any case") {
        CHECK(wire.ask("QUEUE PAUSE q1 none-such q2") == ok());
        CHECK(taken("q1 q2 q3") == "q3");
        CHECK(wire.ask("QUEUE resume q2") == ok());
        CHECK(taken("q1 q2") == "q2");
        CHECK(wire.ask("QUEUE Resume q1 ") == ok());
        CHECK(taken("q1") == "q1");
        CHECK_FALSE(faktory_info(wire).at("queues").contains("none-such"));
    }
    SECTION("faktory 4 QUEUE: * as the first name is all") {
        CHECK(wire.ask("QUEUE PAUSE *") == ok());
        CHECK(taken("q1 q2 q3") == "$-1");
        CHECK(wire.ask("QUEUE RESUME * q9") == ok());
        CHECK(taken("q1") == "q1");
        CHECK(wire.ask("QUEUE PAUSE q2 *") == ok());  // not the first: a name
        CHECK(taken("q2 q3") == "q3");
        CHECK(wire.ask("QUEUE REMOVE *") == ok());
        CHECK(faktory_info(wire).at("queues") == json::object());
    }
    SECTION("faktory 4 QUEUE REMOVE: the jobs, the name and the pause go") {
        CHECK(wire.ask("QUEUE PAUSE q1") == ok());
        CHECK(wire.ask("QUEUE REMOVE q1 none-such") == ok());
        CHECK(faktory_info(wire).at("queues") == json{{"q2", 1}, {"q3", 1}});
        push(wire, job_of("queue-again", "q1"));
        CHECK(wire.ask_json("FETCH q1").at("jid") == "queue-again");
    }
    SECTION("faktory 4 QUEUE LATENCY: the age of the next job in seconds") {
        CHECK(eventually([&] { return wire.ask_json("QUEUE LATENCY q1").at("q1") > 0.05; }));
        auto ages = wire.ask_json("QUEUE LATENCY q2 q1 none-such");
        CHECK(ages.size() == 3);
        CHECK(ages.at("none-such") == 0);
        CHECK(ages.at("q2") < 60);
        CHECK(wire.ask("QUEUE LATENCY none-such") == R"({"none-such":0})");
        CHECK(wire.ask("QUEUE LATENCY *") == "-ERR QUEUE LATENCY does not support wildcards");
        wire.ask("FETCH q1");
        CHECK(wire.ask("QUEUE latency q1") == R"({"q1":0})");
    }
    SECTION("faktory 4 QUEUE: other words") {
        CHECK(wire.ask("QUEUE") == "-ERR internal error");
        CHECK(wire.ask("QUEUE PAUSE") == "-ERR internal error");
        CHECK(wire.ask("QUEUE drain q1") == "-ERR no such QUEUE subcommand: DRAIN");
    }
    SECTION("faktory 4 QUEUE: a pause outlives a restart") {
        CHECK(wire.ask("QUEUE PAUSE q1") == ok());
        server.daemon.stop();
        server.daemon.start();
        Wire again = server.unix_client();
        CHECK(again.ask("FETCH q1") == "$-1");
        CHECK(again.ask("QUEUE RESUME q1") == ok());
        CHECK(again.ask_json("FETCH q1").at("jid") == "queue-q1");
    }
}

TEST_CASE("faktory 4 MUTATE: what is refused", "[faktory]") {
    Wire wire = shared().client();
    CHECK(mutate(wire, R"({"cmd":"shake","target":"dead"})") == "-ERR unknown mutate operation");
    CHECK(mutate(wire, R"({"target":"dead"})") == "-ERR unknown mutate operation");
    CHECK(mutate(wire, R"({"cmd":"shake","target":"x"})") == "-ERR unknown mutate operation");
    for (std::string cmd : {"clear", "kill", "discard", "requeue"}) {
        CHECK(mutate(wire, R"({"cmd":")" + cmd + R"(","target":"working"})") ==
              "-ERR invalid target for mutation command");
        CHECK(mutate(wire, R"({"cmd":")" + cmd + "\"}") ==
              "-ERR invalid target for mutation command");
        CHECK(mutate(wire, R"({"cmd":")" + cmd + R"(","target":"dead","filter":null})") == ok());
        CHECK(mutate(wire, R"({"cmd":")" + cmd + R"(","target":"dead","filter":{}})") == ok());
    }
    for (std::string bad : {"{", "", "[]", R"({"cmd":1})", R"({"cmd":"kill","target":["dead"]})",
                            R"({"cmd":"kill","target":"dead","filter":{"jids":"x"}})"}) {
        std::string answer = mutate(wire, bad);
        INFO(bad << " " << answer);
        CHECK(answer.starts_with("-ERR "));
        CHECK_FALSE(contains(answer, "invalid JSON:"));
    }
    CHECK(wire.ask("MUTATE") == "-ERR invalid format");
}

TEST_CASE("faktory 4 MUTATE: clear, discard, kill and requeue", "[faktory]") {
    FaktoryServer server;
    Wire wire = server.client();
    for (std::string jid : {"mutate-1", "mutate-2", "mutate-3"})
        fail_once(wire, jid, R"(,"jobtype":"T","args":[])");
    fail_once(wire, "mutate-d", R"(,"jobtype":"T","args":[],"retry":-1)");
    push(wire, job_of("mutate-s", "later", R"(,"at":"2999-01-01T00:00:00Z")"));
    REQUIRE(size_of(wire, "retries") == 3);
    REQUIRE(size_of(wire, "dead") == 1);
    SECTION("faktory 4 MUTATE clear: the whole set, the filter is ignored") {
        CHECK(mutate(wire, R"({"cmd":"clear","target":"retries","filter":{"jids":["x"]}})") ==
              ok());
        CHECK(size_of(wire, "retries") == 0);
        CHECK(mutate(wire, R"({"cmd":"clear","target":"scheduled"})") == ok());
        CHECK(size_of(wire, "scheduled") == 0);
        CHECK(size_of(wire, "dead") == 1);
    }
    SECTION("faktory 4 MUTATE discard: the hits, or all without a filter") {
        CHECK(mutate(wire,
                     R"({"cmd":"discard","target":"retries","filter":{"jids":["mutate-2"]}})") ==
              ok());
        CHECK(size_of(wire, "retries") == 2);
        CHECK(mutate(wire, R"({"cmd":"discard","target":"retries"})") == ok());
        CHECK(size_of(wire, "retries") == 0);
        CHECK(wire.ask("PUSH " + job_of("mutate-2", "free-again")) == ok());
    }
    SECTION("faktory 4 MUTATE kill: hits are dead") {
        CHECK(mutate(wire, R"({"cmd":"kill","target":"retries","filter":{"jids":["mutate-1"]}})") ==
              ok());
        CHECK(mutate(wire, R"({"cmd":"kill","target":"scheduled"})") == ok());
        CHECK(mutate(wire, R"({"cmd":"kill","target":"dead"})") == ok());
        CHECK(size_of(wire, "retries") == 2);
        CHECK(size_of(wire, "scheduled") == 0);
        CHECK(size_of(wire, "dead") == 3);
        CHECK(mutate(wire, R"({"cmd":"requeue","target":"dead"})") == ok());
        CHECK(size_of(wire, "dead") == 0);
        CHECK(faktory_info(wire).at("queues") == json{{"mutated", 2}, {"later", 1}});
        CHECK(wire.ask_json("FETCH later").at("jid") == "mutate-s");
    }
    SECTION("faktory 4 MUTATE requeue: at the queue's end, enqueued_at and failure as they were") {
        push(wire, job_of("mutate-first", "mutated"));
        CHECK(mutate(wire, R"({"cmd":"requeue","target":"dead"})") == ok());
        CHECK(wire.ask_json("FETCH mutated").at("jid") == "mutate-first");
        auto job = wire.ask_json("FETCH mutated");
        CHECK(job.at("jid") == "mutate-d");
        CHECK(job.at("enqueued_at") == job.at("created_at"));
        CHECK(job.at("failure").at("message") == "M");
        CHECK(job.at("failure").at("remaining") == 0);  // section 11: never negative
        CHECK(job.at("failure").at("retry_count") == 0);
    }
    SECTION("section 11 MUTATE: spaces are fine") {
        CHECK(mutate(wire, R"( { "cmd" : "discard" , "target" : "retries" } )") == ok());
        CHECK(size_of(wire, "retries") == 0);
    }
}

namespace {

struct FilterRow {
    const char* name;
    const char* filter;
    const char* left;  // last digits of those not hit
};

const FilterRow kFilterRows[] = {
    {"jids", R"("jids":["glob-job-1","none","glob-job-3"])", "24"},
    {"jids alone count", R"("jids":["glob-job-1"],"jobtype":"B","regexp":"no")", "234"},
    {"jids empty: the others count", R"("jids":[],"jobtype":"A")", "34"},
    {"jobtype is exact", R"("jobtype":"a")", "1234"},
    {"jobtype and regexp must both match", R"("jobtype":"B","regexp":"*\"retry\":3,*")", "123"},
    {"regexp is anchored", R"("regexp":"uid")", "1234"},
    {"regexp over custom", R"("regexp":"*uid\":123*")", "234"},
    {"regexp over args", R"("regexp":"*\"args\":[\\[]\"x\"]*")", "234"},
    {"regexp with an escaped bracket", R"("regexp":"*\"args\":\\[\"x\"\\]*")", "234"},
    {"regexp with a space", R"("regexp":"*x y*")", "134"},
    {"a class, ? and ^", R"("regexp":"*glob-jo?-[1-2]\"*[^q]*")", "34"},
    {"compact, keys sorted, brackets escaped", R"("regexp":"*\\[\"x y\",{\"a\":2,\"b\":1}\\]*")",
     "134"},
    {"custom sorted too", R"("regexp":"*\"custom\":{\"b\":{\"c\":2,\"d\":1}}*")", "124"},
    {"Go's escapes", R"("regexp":"*\"\\\\u003cz\\\\u003e\"*")", "124"},
    {"Go's numbers", R"("regexp":"*\",1,1000\\]*")", "124"},
    {"other escapes are characters", R"("regexp":"*\\[\"\u00e9/\"\\]*")", "123"},
    {"the order of keys", R"("regexp":"{\"retry\":25,\"jid\":\"glob-job-2\",\"queue\":\"glob\",*")",
     "134"},
    {"nothing of a default", R"("regexp":"*reserve_for*")", "1234"},
    {"not yet enqueued", R"("regexp":"*enqueued_at*")", "1234"},
    {"an empty filter is all", "", ""},
};
}  // namespace

TEST_CASE("faktory 4 MUTATE filter: jids, jobtype and a glob over the stored payload",
          "[faktory]") {
    FaktoryServer server;
    Wire wire = server.client();
    const char* later = R"(,"at":"2999-01-01T00:00:00Z","queue":"glob"})";
    auto schedule = [&](const std::string& jid, const std::string& members) {
        push(wire, R"({"jid":")" + jid + "\"," + members + later);
    };
    for (const auto& row : kFilterRows) {
        INFO("faktory 4 MUTATE filter: " << row.name);
        REQUIRE(wire.ask("FLUSH") == ok());
        schedule("glob-job-1", R"("jobtype":"A","args":["x"],"custom":{"uid":123})");
        schedule("glob-job-2", R"("jobtype":"A","args":[ "x y" , {"b":1, "a":2} ])");
        schedule("glob-job-3",
                 R"("jobtype":"B","args":["<z>",1.0,1e3],"custom":{"b":{"d":1,"c":2}})");
        schedule("glob-job-4", R"("jobtype":"B","args":["\u00e9\/"],"retry":3)");
        CHECK(mutate(wire, R"({"cmd":"kill","target":"scheduled","filter":{)" +
                               std::string(row.filter) + "}}") == ok());
        std::string digits;
        auto left = wire.ask_json(R"(JOBQ LIST {"state":"scheduled"})");
        for (const auto& job : left.at("jobs"))
            digits += job.at("jid").get<std::string>().back();
        std::sort(digits.begin(), digits.end());
        CHECK(digits == row.left);
    }
}

}  // namespace jobq::test
