// Faktory Work Protocol 2, section 4 PUSH and PUSHB and section 5, the job object: checks in their
// order, exact texts, defaults, and what FETCH gives back. Row by row.
#include <signal.h>

#include <catch2/catch.hpp>
#include <regex>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

const std::string kNoJid = "jobs must have a reasonable jid parameter";
const std::string kNoType = "jobs must have a jobtype parameter";
const std::string kNoArgs = "jobs must have an args parameter";
const std::string kTooLong = "jobs cannot be reserved for more than one day";

struct Refused {
    const char* name;
    std::string job, why;  // why: the reply's text, or its beginning when it ends in "..."
};

bool is_like(const std::string& text, const std::string& wanted) {
    if (!wanted.ends_with("...")) return text == wanted;
    return text.starts_with(wanted.substr(0, wanted.size() - 3));
}

std::vector<Refused> refusals() {
    return {
        {"no jid", R"({"jobtype":"T","args":[]})", kNoJid},
        {"jid null", R"({"jid":null,"jobtype":"T","args":[]})", kNoJid},
        {"jid under 8 bytes", R"({"jid":"1234567","jobtype":"T","args":[]})", kNoJid},
        {"no jobtype", R"({"jid":"12345678","args":[]})", kNoType},
        {"jobtype empty", R"({"jid":"12345678","jobtype":"","args":[]})", kNoType},
        {"jobtype null", R"({"jid":"12345678","jobtype":null,"args":[]})", kNoType},
        {"no args", R"({"jid":"12345678","jobtype":"T"})", kNoArgs},
        {"args null", R"({"jid":"12345678","jobtype":"T","args":null})", kNoArgs},
        {"reserve_for over a day",
         R"({"jid":"12345678","jobtype":"T","args":[],"reserve_for":86401})", kTooLong},
        {"at is no time", R"({"jid":"12345678","jobtype":"T","args":[],"at":"tomorrow"})",
         R"(invalid timestamp for 'at': "tomorrow": parsing time...)"},
        {"at without a zone",
         R"({"jid":"12345678","jobtype":"T","args":[],"at":"2026-01-01T00:00:00"})",
         R"(invalid timestamp for 'at': "2026-01-01T00:00:00": parsing time...)"},
        {"a bad queue name", R"({"jid":"12345678","jobtype":"T","args":[],"queue":"a b"})",
         R"(cannot get "a b" queue: queue names must match \A[a-zA-Z0-9._-]+\z)"},
        {"a bad queue name of a scheduled job is refused too",
         R"({"jid":"12345678","jobtype":"T","args":[],"queue":"a/b","at":"2999-01-01T00:00:00Z"})",
         R"(cannot get "a/b" queue: queue names must match \A[a-zA-Z0-9._-]+\z)"},
        {"the jid is looked at before the jobtype", R"({"jid":"1"})", kNoJid},
        {"the jobtype before the args", R"({"jid":"12345678","reserve_for":99999})", kNoType},
        {"the args before reserve_for", R"({"jid":"12345678","jobtype":"T","reserve_for":99999})",
         kNoArgs},
        {"reserve_for before at",
         R"({"jid":"12345678","jobtype":"T","args":[],"reserve_for":99999,"at":"x"})", kTooLong},
        {"at before the queue",
         R"({"jid":"12345678","jobtype":"T","args":[],"at":"x","queue":"a b"})",
         "invalid timestamp for 'at'..."},
        {"the last of a repeated key counts",
         R"({"jid":"12345678","jobtype":"T","args":[],"jid":"1"})", kNoJid},
    };
}

// A wrong type is refused before all else, and fails a whole PUSHB.
const char* const kWrongTypes[] = {
    "",
    "{",
    "[]",
    "\"job\"",
    "null",
    R"({"jid":12345678,"jobtype":"T","args":[]})",
    R"({"jid":"1","jobtype":true,"args":[]})",
    R"({"jid":"1","jobtype":"T","args":{}})",
    R"({"jid":"1","jobtype":"T","args":"x"})",
    R"({"jid":"1","jobtype":"T","args":[],"queue":5})",
    R"({"jid":"1","jobtype":"T","args":[],"at":5})",
    R"({"jid":"1","jobtype":"T","args":[],"created_at":5})",
    R"({"jid":"1","jobtype":"T","args":[],"retry":true})",
    R"({"jid":"1","jobtype":"T","args":[],"retry":"3"})",
    R"({"jid":"1","jobtype":"T","args":[],"retry":1.0})",
    R"({"jid":"1","jobtype":"T","args":[],"retry":1e2})",
    R"({"jid":"1","jobtype":"T","args":[],"reserve_for":"60"})",
    R"({"jid":"1","jobtype":"T","args":[],"backtrace":false})",
    R"({"jid":"1","jobtype":"T","args":[],"custom":[]})",
    R"({"jid":"1","jobtype":"T","args":[],"failure":"x"})",
    R"({"jid":"1","jobtype":"T","args":[]} {})",
};

// Pushes the members of a job and fetches it; what FETCH said.
std::string through(const std::string& members, std::string queue = "") {
    if (queue.empty()) queue = fresh("through");
    Wire wire = shared().client();
    std::string answer = wire.ask(R"(PUSH {"jid":")" + fresh("through-jid-") +
                                  R"(","jobtype":"T","queue":")" + queue + "\"," + members + "}");
    if (answer != "+OK") return answer;
    return wire.ask("FETCH " + queue);
}

const std::string kTime = R"("\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z")";

}  // namespace

TEST_CASE("faktory 4 PUSH: checks in their order, with their texts", "[faktory]") {
    Wire wire = shared().client(), local = shared().unix_client();
    for (const auto& row : refusals()) {
        DYNAMIC_SECTION("faktory 4 PUSH: " << row.name) {
            std::string answer = wire.ask("PUSH " + row.job);
            INFO(answer);
            CHECK(is_like(answer, "-ERR " + row.why));
            CHECK(local.ask("PUSH " + row.job) == answer);
        }
    }
    for (std::string job : kWrongTypes) {
        DYNAMIC_SECTION("faktory 4 PUSH: a wrong type: " << job) {
            CHECK(wire.ask("PUSH " + job).starts_with("-ERR invalid JSON: "));
        }
    }
    SECTION("faktory 4 PUSH: no JSON at all") {
        CHECK(wire.ask("PUSH ") == "-ERR invalid JSON: unexpected end of JSON input");
        CHECK(wire.ask("PUSH") == "-ERR internal error");
        CHECK(wire.ask("PUSHB") == "-ERR internal error");
    }
}

TEST_CASE("faktory 4 PUSH: what is fine", "[faktory]") {
    Wire wire = shared().client();
    auto push = [&](const std::string& members) {
        return wire.ask(R"(PUSH {"jid":")" + fresh("fine-jid-") + "\"," + members + "}");
    };
    const char* fine[] = {
        R"("jobtype":"T","args":[])",
        R"("jobtype":"T","args":[],"queue":null,"at":null,"retry":null,"custom":null)",
        R"("jobtype":"T","args":[],"reserve_for":null,"backtrace":null,"created_at":null)",
        R"("jobtype":"T","args":[],"queue":"","at":"","created_at":"")",
        R"("jobtype":"T","args":[],"reserve_for":86400)",
        R"("jobtype":"T","args":[],"reserve_for":-1)",
        R"("jobtype":"T","args":[],"at":"2017-12-20T15:30:17.111222333Z")",
        R"("jobtype":"T","args":[],"at":"2017-12-20T15:30:17+02:00")",
        R"("jobtype":"T","args":[],"priority":5,"unknown":{"a":1})",
        R"("jobtype":"T","args":[],"priority":"high")",
        R"("JobType":"T","ARGS":[],"Queue":"cased")",
        R"("jobtype":7,"args":[],"jobtype":"T")",
        R"("jobtype":"T","args":[] , "custom" : { } )",
    };
    for (std::string members : fine) {
        DYNAMIC_SECTION("faktory 4 PUSH: " << members << " is fine") {
            CHECK(push(members) == ok());
        }
    }
    SECTION("faktory 4 PUSH: the queue is default when absent") {
        std::string jid = fresh("default-jid-");
        wire.ask("FLUSH");
        REQUIRE(wire.ask(R"(PUSH {"jid":")" + jid + R"(","jobtype":"T","args":[]})") == ok());
        auto job = wire.ask_json("FETCH default");
        CHECK(job.at("jid") == jid);
        CHECK(job.at("queue") == "default");
    }
    SECTION("faktory 4 PUSH: a scheduled job does not create its queue until it is due") {
        std::string queue = fresh("unborn");
        REQUIRE(push(R"("jobtype":"T","args":[],"at":"2999-01-01T00:00:00Z","queue":")" + queue +
                     "\"") == ok());
        CHECK_FALSE(wire.ask_json("INFO").at("faktory").at("queues").contains(queue));
    }
}

TEST_CASE("rule 6 PUSH: the same live job again is stored once, another one is refused",
          "[faktory]") {
    Wire wire = shared().client();
    std::string jid = fresh("twice-jid-"), queue = fresh("twice");
    std::string push = "PUSH " + job_of(jid, queue), other = "PUSH " + job_of(jid, queue + "x");
    CHECK(wire.ask(push) == ok());
    CHECK(wire.ask(push) == ok());
    wire.send(push + "\n" + other + "\n" + push + "\n");
    CHECK(wire.reply() == ok());
    CHECK(wire.reply() == "-ERR duplicate jid " + jid);
    CHECK(wire.reply() == ok());
    CHECK(wire.ask_json("PUSHB [" + job_of(jid, queue) + "," + job_of(jid, queue + "x") + "]") ==
          json{{jid, "duplicate jid " + jid}});
    CHECK(wire.ask_json("INFO").at("faktory").at("queues").at(queue) == 1);
    REQUIRE(wire.ask_json("FETCH " + queue).at("jid") == jid);
    CHECK(wire.ask(push) == ok());  // it runs: still the same
    CHECK(wire.ask(other) == "-ERR duplicate jid " + jid);
    CHECK(wire.ask_json("INFO").at("faktory").at("queues").at(queue) == 0);
    REQUIRE(wire.ask(R"(ACK {"jid":")" + jid + "\"}") == ok());
    CHECK(wire.ask(other) == ok());  // over: the jid may be used again
    CHECK(wire.ask_json("FETCH " + queue + "x").at("jid") == jid);
}

TEST_CASE("faktory 4 PUSHB: a bulk string that names the refused", "[faktory]") {
    Wire wire = shared().client();
    auto pushb = [&](const std::string& array) { return wire.ask("PUSHB " + array); };
    SECTION("faktory 4 PUSHB: none, one, many") {
        std::string queue = fresh("bulk");
        CHECK(pushb("[]") == "{}");
        CHECK(pushb("[" + job_of(fresh("bulk-jid-"), queue) + "]") == "{}");
        std::string many = "[";
        for (int i = 0; i < 1000; ++i)
            many += (i ? "," : "") + job_of(fresh("bulk-jid-"), queue);
        CHECK(pushb(many + " ]") == "{}");
        CHECK(wire.ask_json("INFO").at("faktory").at("queues").at(queue) == 1001);
    }
    SECTION("faktory 4 PUSHB: the refused by jid, without ERR; the others are stored") {
        std::string queue = fresh("bulk"), good = fresh("bulk-jid-");
        auto said =
            json::parse(pushb(R"([{"jid":"short","jobtype":"T","args":[]},)" + job_of(good, queue) +
                              R"(,{"jid":"no-jobtype","args":[]},)"
                              R"({"jid":"no-args-here","jobtype":"T"},)"
                              R"({"jid":"too-long-1","jobtype":"T","args":[],)"
                              R"("reserve_for":86401}])"));
        CHECK(said == json{{"short", kNoJid},
                           {"no-jobtype", kNoType},
                           {"no-args-here", kNoArgs},
                           {"too-long-1", kTooLong}});
        CHECK(wire.ask_json("FETCH " + queue).at("jid") == good);
    }
    for (std::string wrong : kWrongTypes) {
        if (wrong == "[]" || wrong.find("} {") != wrong.npos) continue;
        DYNAMIC_SECTION("faktory 4 PUSHB: one wrongly typed job fails it all: " << wrong) {
            std::string queue = fresh("bulk");
            std::string text = "[" + job_of(fresh("bulk-jid-"), queue) + "," + wrong + "]";
            CHECK(pushb(text).starts_with("-ERR invalid JSON: "));
            CHECK_FALSE(wire.ask_json("INFO").at("faktory").at("queues").contains(queue));
        }
    }
    SECTION("faktory 4 PUSHB: no array") {
        CHECK(pushb("{}").starts_with("-ERR invalid JSON: "));
        CHECK(pushb("").starts_with("-ERR invalid JSON: unexpected end of JSON input"));
    }
}

TEST_CASE("faktory 5 job: FETCH's object has Faktory's keys alone, with their defaults",
          "[faktory]") {
    SECTION("faktory 5: a job of the least") {
        std::string text = through(R"("args":[])");
        INFO(text);
        std::regex shape(R"(\{"retry":25,"jid":"through-jid-\d+","queue":"through\d+",)"
                         R"("jobtype":"T","created_at":)" +
                         kTime + R"(,"enqueued_at":)" + kTime +
                         R"(,"args":\[\],"reserve_for":1800\})");
        CHECK(std::regex_match(text, shape));
    }
    SECTION("faktory 5: a job with everything, in the order of Faktory's keys") {
        std::string text =
            through(R"("args":[{"b":1,"a":2}],"custom":{"z":1,"a":[true]},"retry":3,"backtrace":7,)"
                    R"("reserve_for":600,"at":"2020-01-02T03:04:05.678+02:00","priority":5,"x":1,)"
                    R"("created_at":"whenever")");
        INFO(text);
        std::regex shape(R"(\{"retry":3,"custom":\{"z":1,"a":\[true\]\},"jid":"[^"]+",)"
                         R"("queue":"[^"]+","jobtype":"T","created_at":"whenever",)"
                         R"("enqueued_at":)" +
                         kTime +
                         R"(,"at":"2020-01-02T03:04:05\.678\+02:00",)"
                         R"("args":\[\{"b":1,"a":2\}\],"reserve_for":600,"backtrace":7\})");
        CHECK(std::regex_match(text, shape));
    }
    SECTION("faktory 5: created_at and enqueued_at are the server's clock") {
        auto job = json::parse(through(R"("args":[],"created_at":null)"));
        auto now = shared().client().ask_json("INFO").at("now").get<std::string>();
        CHECK(job.at("created_at").get<std::string>().substr(0, 13) == now.substr(0, 13));
        CHECK(job.at("enqueued_at").get<std::string>() >= job.at("created_at").get<std::string>());
    }
}

TEST_CASE("faktory 5 job: values that come back, row by row", "[faktory]") {
    struct Row {
        const char* members;
        const char* key;
        const char* value;  // "" absent
    };

    const Row rows[] = {
        {R"("args":[],"retry":0)", "retry", "0"},
        {R"("args":[],"retry":-1)", "retry", "-1"},
        {R"("args":[],"retry":-7)", "retry", "-7"},
        {R"("args":[],"retry":null)", "retry", "25"},
        {R"("args":[],"reserve_for":1)", "reserve_for", "1"},
        {R"("args":[],"reserve_for":-1)", "reserve_for", "-1"},
        {R"("args":[],"reserve_for":0)", "reserve_for", "1800"},
        {R"("args":[],"reserve_for":86400)", "reserve_for", "86400"},
        {R"("args":[],"backtrace":0)", "backtrace", ""},
        {R"("args":[],"backtrace":25)", "backtrace", "25"},
        {R"("args":[],"at":"")", "at", ""},
        {R"("args":[],"custom":{})", "custom", ""},
        {R"("args":[],"custom":{ })", "custom", ""},
        {R"("args":[],"custom":null)", "custom", ""},
        {R"("args":[],"custom":{"_x":null})", "custom", R"({"_x":null})"},
        {R"("args":[],"priority":9)", "priority", ""},
        {R"("args":[],"failure":null)", "failure", ""},
        {R"("args":[9007199254740993,1.0,1e3,-0])", "args", R"([9007199254740993,1.0,1e3,-0])"},
        {R"("args":["<&>","\u00e9\u2028"])", "args", R"(["<&>","\u00e9\u2028"])"},
        {R"("args":[{"b":1,"a":[[],{}]},null,false])", "args",
         R"([{"b":1,"a":[[],{}]},null,false])"},
    };
    for (const auto& row : rows) {
        DYNAMIC_SECTION("faktory 5: " << row.members) {
            std::string text = through(row.members);
            INFO(text);
            std::string key = "\"" + std::string(row.key) + "\":";
            bool found = text.find(key + row.value + ",") != text.npos ||
                         text.find(key + row.value + "}") != text.npos;
            CHECK(found == !std::string(row.value).empty());
            if (!found) CHECK(text.find(key) == text.npos);
            CHECK(json::accept(text));
        }
    }
    SECTION("faktory 5: ids of every client library") {
        for (std::string jid : {"hR1vZ7r5b1mFZw3q", "b8a9c2e1f0d3a4b5c6d7e8f9",
                                "f47ac10b-58cc-4372-a567-0e02b2c3d479", "abcdefghijkl",
                                "0123456789abcdef0123456789abcdef", "12345678"}) {
            std::string queue = fresh("ids");
            Wire wire = shared().client();
            REQUIRE(wire.ask("PUSH " + job_of(jid, queue)) == ok());
            CHECK(wire.ask_json("FETCH " + queue).at("jid") == jid);
        }
    }
}

TEST_CASE("rule 5 lines: a payload up to 1 MiB, checked per job in a PUSHB of up to 16 MiB",
          "[faktory]") {
    Wire wire = shared().client();
    std::string queue = fresh("large");
    auto large = [&](const std::string& jid, size_t bytes) {
        return R"({"jid":")" + jid + R"(","jobtype":"T","queue":")" + queue + R"(","args":[")" +
               std::string(bytes - 4, 'a') + "\"]}";
    };
    const size_t mib = 1 << 20;
    CHECK(wire.ask("PUSH " + large("large-fits", mib)) == ok());
    CHECK(wire.ask_json("FETCH " + queue).at("args").at(0).get<std::string>().size() == mib - 4);
    std::string over = wire.ask("PUSH " + large("large-over", mib + 1));
    INFO(over);
    CHECK(over.starts_with("-ERR "));
    CHECK(contains(over, "1048576"));
    std::string many = "[";
    for (int i = 0; i < 12; ++i)
        many += large("large-many-" + std::to_string(i), i == 5 ? mib + 1 : mib) + ",";
    auto said = wire.ask_json("PUSHB " + many + job_of("large-small", queue) + "]");
    CHECK(said.size() == 1);
    CHECK(said.contains("large-many-5"));
    CHECK(wire.ask_json("INFO").at("faktory").at("queues").at(queue) == 12);
}

TEST_CASE("rule 5 lines: a thousand PUSH lines in one write are answered in order", "[faktory]") {
    Wire wire = shared().client();
    std::string queue = fresh("pipeline"), lines;
    for (int i = 0; i < 3000; ++i)
        lines += i % 1000 == 999 ? "PUSH {}\n" : "PUSH " + job_of(fresh("pipeline-"), queue) + "\n";
    wire.send(lines);
    int good = 0;
    for (int i = 0; i < 3000; ++i) {
        std::string reply = wire.reply();
        REQUIRE(reply == (i % 1000 == 999 ? "-ERR " + kNoJid : ok()));
        good += reply == ok();
    }
    CHECK(wire.ask_json("INFO").at("faktory").at("queues").at(queue) == good);
}

TEST_CASE("faktory 5 args: integers of any size come back digit by digit", "[faktory]") {
    Wire wire = shared().client();
    std::string q = fresh("q"), args = "[18446744073709551616,-123456789012345678901234567890]";
    CHECK(wire.ask("PUSH {\"jid\":\"" + fresh("big-integer-") + R"(","jobtype":"T","queue":")" + q +
                   "\",\"args\":" + args + "}") == ok());
    CHECK(wire.ask("FETCH " + q).find("\"args\":" + args) != std::string::npos);
    CHECK(wire.ask(R"(PUSH {"jid":"too-large-0","jobtype":"T","args":[1e400]})")
              .starts_with("-ERR invalid JSON: "));
}

TEST_CASE("faktory 4 PUSHB: nobody is told that a job is refused when it may be stored",
          "[faktory]") {
    FaktoryServer server;
    auto wire = server.unix_client(R"({"v":2,"jobq":1})");
    const std::string line = "PUSHB [" + job_of("hanging-store-1", "hangs") + "," +
                             job_of("hanging-store-2", "hangs") + "]";
    kill(server.daemon.redis_pid(), SIGSTOP);
    const std::string reply = wire.ask(line);
    kill(server.daemon.redis_pid(), SIGCONT);
    CHECK(is_like(reply, "-UNKNOWN ..."));
    // It was done all the same, and is safe to repeat.
    CHECK(eventually([&] { return server.daemon.count("pending") == 2; }));
    CHECK(wire.ask(line) == "{}");
    CHECK(server.daemon.count("pending") == 2);
}

}  // namespace jobq::test
