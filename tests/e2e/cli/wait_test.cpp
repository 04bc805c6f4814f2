// Verbs that wait, against a scripted daemon: exit statuses of jobs, time limits, ^C, and daemons
// that go away and come back.
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/live/cli_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kOver = R"({"end":true,"timed_out":false})";
constexpr const char* kTimedOut = R"({"end":true,"timed_out":true})";

bool store(Peer& peer, const std::string& text) {
    const auto request = json::parse(text);
    peer.bulk(json{{"jid", request["jid"]}, {"state", "ready"}, {"how", "stored"}}.dump());
    return true;
}

// Answers WAIT for each job with `state` and `more`, ENQUEUE as stored, RESULT with `result`.
struct Script {
    std::string state = "succeeded", more = "{}";
    std::string result = R"({"jid":"j","state":"succeeded","result":{"ok": 1.10}})";

    bool operator()(Peer& peer, const std::string& verb, const std::string& text) const {
        if (verb == "ENQUEUE") return store(peer, text);
        if (verb == "RESULT") peer.bulk(result);
        if (verb == "LOGS") {
            peer.bulk(R"({"attempt":1,"stream":"stdout","text":"hi\n"})");
            peer.bulk(R"({"attempt":1,"stream":"stderr","text":"oops\n"})");
            peer.bulk(R"({"end":true,"state":"dead"})");
        }
        if (verb != "WAIT") return true;
        if (state == "running") {
            peer.bulk(kTimedOut);
            return true;
        }
        const auto request = json::parse(text);
        for (const std::string jid : request["jids"])
            peer.bulk(job_json(jid, state, more));
        peer.bulk(kOver);
        return true;
    }
};

struct Ending {
    std::string state, more;
    int status;
};

const std::vector<Ending> kEndings{
    {"succeeded", "{}", 0},
    {"succeeded", R"({"exit_code":0})", 0},
    {"dead", R"({"exit_code":7,"errors":[{"attempt":1,"outcome":"failure","exit_code":7}]})", 7},
    {"dead", R"({"errors":[{"attempt":1,"outcome":"crash","signal":9}]})", 137},
    {"dead", R"({"errors":[{"attempt":1,"outcome":"timeout","signal":15}]})", 124},
    {"dead", R"({"errors":[{"attempt":1,"outcome":"failure","error_type":"x"}]})", 1},
    {"cancelled", "{}", 1},
    {"expired", "{}", 1},
};

}  // namespace

TEST_CASE("wait with one id ends with the job's own status") {
    Script script;
    FakeDaemon daemon([&script](Peer& peer, const std::string& verb, const std::string& text) {
        return script(peer, verb, text);
    });
    for (const auto& ending : kEndings) {
        script.state = ending.state;
        script.more = ending.more;
        const Ran ran = run_cli(daemon.call({"wait", "some-job"}));
        INFO(ending.state << " " << ending.more << " " << ran.err);
        CHECK(ran.status == ending.status);
        CHECK(ran.out == "some-job " + ending.state + "\n");
        const Ran two = run_cli(daemon.call({"wait", "some-job", "other-job"}));
        CHECK(two.status == (ending.status == 0 ? 0 : 1));
    }
}

TEST_CASE("run --wait passes output on and ends with the command's status") {
    Script script;
    FakeDaemon daemon([&script](Peer& peer, const std::string& verb, const std::string& text) {
        return script(peer, verb, text);
    });
    for (const auto& ending : kEndings) {
        script.state = ending.state;
        script.more = ending.more;
        auto call = daemon.call({"run", "--wait", "--env", "A=b", "--", "sh", "-c", "exit 7"});
        call.cwd = "/tmp";
        const Ran ran = run_cli(call);
        INFO(ending.state << " " << ending.more << " " << ran.err);
        CHECK(ran.status == ending.status);
        CHECK(ran.out == "hi\n");
        CHECK(ran.err.starts_with("oops\n"));
        // What the command's own exit status does not tell is told in words.
        CHECK(contains(ran.err, "jobq: job ") ==
              (ending.status != 0 && !contains(ending.more, "exit_code")));
    }
    const auto request = json::parse(daemon.sent("ENQUEUE").at(0));
    CHECK(request["type"] == "run");
    CHECK(request["max_attempts"] == 1);
    auto payload = request["payload"];
    CHECK(payload.at("umask").get<std::string>().size() == 4);
    payload.erase("umask");
    CHECK(payload == json::parse(R"({"argv":["sh","-c","exit 7"],"cwd":"/tmp","env":{"A":"b"}})"));
    CHECK(json::parse(daemon.sent("LOGS").at(1))["stdout"] == true);
}

TEST_CASE("run takes options before the command only") {
    FakeDaemon daemon(
        [](Peer& peer, const std::string&, const std::string& text) { return store(peer, text); });
    CHECK(
        run_cli(daemon.call({"run", "--queue", "q", "make", "-j2", "--help", "--", "x"})).status ==
        0);
    const auto request = json::parse(daemon.sent("ENQUEUE").at(0));
    CHECK(request["queue"] == "q");
    CHECK(request["payload"]["argv"] == json::parse(R"(["make","-j2","--help","--","x"])"));
}

TEST_CASE("enqueue --wait prints the result, or why there is none") {
    Script script;
    FakeDaemon daemon([&script](Peer& peer, const std::string& verb, const std::string& text) {
        return script(peer, verb, text);
    });
    const auto call = daemon.call({"enqueue", "email", "--wait", "--timeout", "200ms"});
    SECTION("a JSON result, byte for byte") {
        script.more = R"({"has_result":true})";
        const Ran ran = run_cli(call);
        CHECK(ran.status == 0);
        CHECK(ran.out == "{\"ok\": 1.10}\n");
        CHECK(ran.err.empty());
        auto object = call;
        object.args.push_back("--json");
        const auto job = json::parse(run_cli(object).out);
        CHECK(job["state"] == "succeeded");
        CHECK(job["result"]["ok"] == 1.10);
    }
    SECTION("a text result") {
        script.more = R"({"has_result":true})";
        script.result = R"({"jid":"j","state":"succeeded","text":"caf\u00e9 \ud83d\ude00\n"})";
        CHECK(run_cli(call).out == "café 😀\n");
    }
    SECTION("a result deeper than any stack") {
        script.more = R"({"has_result":true})";
        const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
        script.result = R"({"jid":"j","state":"succeeded","result":)" + deep + "}";
        const Ran ran = run_cli(call);
        CHECK(ran.status == 0);
        CHECK(ran.out == deep + "\n");
    }
    SECTION("no end within the limit") {
        script.state = "running";
        const Ran ran = run_cli(call);
        CHECK(ran.status == 124);
        CHECK(contains(ran.err, "continues; follow it with: jobq wait"));
    }
    SECTION("dead") {
        script.state = "dead";
        script.more =
            R"({"errors":[{"attempt":1,"outcome":"failure","error_type":"exit","message":"7"}]})";
        const Ran ran = run_cli(call);
        CHECK(ran.status == 1);
        CHECK(ran.out.empty());
        CHECK(contains(ran.err, "is dead after 1 attempt: exit: 7"));
        CHECK(contains(ran.err, "jobq logs"));
    }
}

TEST_CASE("^C stops the waiting, not the job, and says how to follow it") {
    std::atomic<int> pid{0};
    FakeDaemon daemon([&pid](Peer& peer, const std::string& verb, const std::string& text) {
        if (verb == "ENQUEUE") return store(peer, text);
        if (verb == "LOGS" && contains(text, "\"expect\":true")) {  // before the job is there
            peer.bulk(R"({"end":true})");
            return true;
        }
        CHECK(eventually([&pid] { return pid != 0; }));
        kill(pid, SIGINT);
        return true;
    });
    const std::vector<std::vector<std::string>> calls{{"enqueue", "email", "--wait"},
                                                      {"run", "--wait", "--", "sleep", "9"},
                                                      {"wait", "some-job"},
                                                      {"logs", "-f", "some-job"},
                                                      {"events"}};
    for (const auto& args : calls) {
        pid = 0;
        auto call = daemon.call(args);
        call.started = [&pid](int started) { pid = started; };
        const Ran ran = run_cli(call);
        INFO(args[0] << ": " << ran.err);
        CHECK(ran.status == 130);
        if (args[0] == "enqueue" || args[0] == "run") CHECK(contains(ran.err, "jobq logs -f "));
    }
    CHECK(daemon.sent("CANCEL").empty());
}

TEST_CASE("a wait outlives a daemon that goes away and comes back") {
    int waits = 0;
    Script script;
    FakeDaemon daemon([&](Peer& peer, const std::string& verb, const std::string& text) {
        if (verb == "WAIT" && ++waits == 1) return false;
        if (verb == "WAIT" && waits == 2) {
            peer.write("-UNAVAILABLE the store is unavailable\r\n");
            return true;
        }
        return script(peer, verb, text);
    });
    const Ran ran = run_cli(daemon.call({"wait", "some-job"}));
    CHECK(ran.status == 0);
    CHECK(waits == 3);
    CHECK(ran.out == "some-job succeeded\n");
}

TEST_CASE("followed output is whole and not repeated when the connection is lost in between") {
    int follows = 0;
    FakeDaemon daemon([&follows](Peer& peer, const std::string& verb, const std::string&) {
        if (verb != "LOGS") return true;
        const auto piece = [&peer](const char* text) {
            peer.bulk(json{{"attempt", 1}, {"stream", "stderr"}, {"text", text}}.dump());
        };
        if (++follows == 1) {
            piece("one ");
            piece("two ");
            return false;
        }
        piece("one two th");
        piece("ree\n");
        peer.bulk(R"({"end":true,"state":"succeeded"})");
        return true;
    });
    const Ran ran = run_cli(daemon.call({"logs", "-f", "some-job"}));
    CHECK(ran.status == 0);
    CHECK(ran.out == "one two three\n");
}

TEST_CASE("a piece of output that says where it begins is put there") {
    int follows = 0;
    FakeDaemon daemon([&follows](Peer& peer, const std::string&, const std::string&) {
        const auto piece = [&peer](int at, const char* text) {
            peer.bulk(
                json{{"attempt", 1}, {"stream", "stderr"}, {"at", at}, {"text", text}}.dump());
        };
        if (++follows == 1) {
            piece(0, "one ");
            return false;
        }
        piece(2, "e two ");
        piece(8, "three\n");
        peer.bulk(R"({"end":true,"state":"succeeded"})");
        return true;
    });
    CHECK(run_cli(daemon.call({"logs", "-f", "some-job"})).out == "one two three\n");
}

TEST_CASE("wait names a job that is not known") {
    FakeDaemon daemon([](Peer& peer, const std::string&, const std::string&) {
        peer.bulk(R"({"jid":"no-such-job","error":"NOT_FOUND"})");
        peer.bulk(kOver);
        return true;
    });
    const Ran ran = run_cli(daemon.call({"wait", "no-such-job"}));
    CHECK(ran.status == 3);
    CHECK(contains(ran.err, "job 'no-such-job' does not exist"));
}

}  // namespace jobq::test
