// What a runner and jobqd say to each other: what one side writes the other reads as the same.
#include "core/protocol/runner_messages.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/base/limits.h"
#include "core/json/fields.h"

using namespace jobq;
using nlohmann::json;

namespace {

json body_of(const std::string& line) {
    REQUIRE(line.back() == '\n');
    REQUIRE(line.find('\n') == line.size() - 1);
    return json::parse(line.substr(line.find('{')));
}

// Text that JSON must escape, and bytes that it can't hold.
const std::string kAwkward = "\"\\\n\t\x01 \xe2\x82\xac";
const std::string kBytes("\xff\0\x80", 3);

}  // namespace

TEST_CASE("runner_messages: POOLS fills pools and types and keeps defaults for what is not said") {
    auto got = read_assignment(R"({"pools":[
        {"name":"a","kind":"exec","slots":3,"queues":[{"name":"q","weight":5}],"strict":false},
        {"name":"c","kind":"child","slots":1,"queues":[{"name":"r"}],"run":["py","-u"]}],
        "types":{"mail":{"run":["m","{payload}"],"timeout_ms":9,"grace_ms":8,"env":{"A":"b"},
        "cwd":"/tmp","exit":{"75":"retry","100":"dead","3":"success","x":"dead"},
        "output_head_bytes":1,"output_tail_bytes":2,"limits":{"files":7,"nice":-1}},"bare":{}},
        "run_allowed":true,"version":"v7"})");
    REQUIRE(got);
    REQUIRE(got->pools.size() == 2);
    CHECK(got->pools[0].slots == 3);
    CHECK(got->pools[0].queues == std::vector<QueueWeight>{{"q", 5}});
    CHECK_FALSE(got->pools[0].strict);
    CHECK(got->pools[1].kind == PoolKind::child);
    CHECK(got->pools[1].run == std::vector<std::string>{"py", "-u"});
    const TypeSpec& mail = got->types["mail"];
    CHECK(mail.timeout_ms == 9);
    CHECK(mail.exit == std::map<int, Outcome>{
                           {75, Outcome::failure}, {100, Outcome::dead}, {3, Outcome::success}});
    CHECK(mail.limits.files == 7);
    CHECK(mail.limits.nice == -1);
    CHECK(got->types["bare"].grace_ms == limits::kKillGraceMs);
    CHECK(got->types["bare"].umask == 022);
    CHECK(got->run_allowed);
    CHECK(got->version == "v7");
}

TEST_CASE("runner_messages: messages that can't be read are errors, never a crash") {
    std::string deep(100'000, '[');
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("{"), std::string("{\"jobs\":1}"),
          std::string("{\"jobs\":[{}]}"), "{\"jobs\":" + deep,
          std::string("{\"jobs\":[{\"jid\":1}]}"), std::string("{\"jobs\":[\"\xff\"]}")}) {
        CAPTURE(text.substr(0, 30));
        CHECK_FALSE(read_taken(text));
        CHECK_FALSE(read_done_answers(text));
    }
    CHECK_FALSE(read_notices("{\"cancel\":[1]}"));
    CHECK_FALSE(read_assignment("{}"));
}

TEST_CASE("runner_messages: a report carries everything that is known and stays within a line") {
    DoneReport report;
    report.jid = "j";
    report.token = "t";
    report.run.outcome = Outcome::crash;
    report.run.error_type = "signal SIGSEGV";
    report.run.signal = 11;
    report.run.started_ms = 1'000;
    report.run.log = std::string(200'000, '\x1b');
    report.run.result = std::string(300'000, '"');
    const std::vector<const DoneReport*> reports{&report};
    auto line = request_line("DONE", write(reports));
    CHECK(line.size() < limits::kLineBytes);
    auto job = body_of(line)["jobs"][0];
    CHECK(job["outcome"] == "crash");
    CHECK(job["signal"] == 11);
    CHECK_FALSE(job.contains("exit_code"));
    CHECK(job["started_at"] == "1970-01-01T00:00:01Z");
    CHECK(base64_decode(job["log_b64"].get<std::string>()) == report.run.log);
    CHECK(base64_decode(job["result_b64"].get<std::string>()) == report.run.result);
}

TEST_CASE("runner_messages: an assignment comes as it was sent") {
    Assignment sent;
    PoolSpec pool;
    pool.name = "a";
    pool.kind = PoolKind::child;
    pool.slots = 7;
    pool.queues = {{"q", 3}, {"r", 1}};
    pool.strict = false;
    pool.run = {"py", kAwkward};
    pool.env = {{"A", kAwkward}};
    pool.cwd = "/tmp";
    sent.pools = {pool};
    TypeSpec type;
    type.run = {"x"};
    type.timeout_ms = 1;
    type.grace_ms = 2;
    type.env = {{"B", ""}};
    type.cwd = "/";
    type.umask = 077;
    type.exit = {{1, Outcome::dead}, {75, Outcome::failure}};
    type.output_head_bytes = 3;
    type.output_tail_bytes = 4;
    type.limits.memory_bytes = 5;
    type.limits.cpu_s = 6;
    type.limits.files = 7;
    type.limits.processes = 8;
    type.limits.nice = -9;
    sent.types = {{"t", type}};
    sent.run_allowed = true;
    sent.version = "v";
    auto got = read_assignment(write(sent));
    REQUIRE(got);
    CHECK(got->pools == sent.pools);
    REQUIRE(got->types.size() == 1);
    const TypeSpec& read = got->types["t"];
    CHECK(read.run == type.run);
    CHECK(read.timeout_ms == 1);
    CHECK(read.grace_ms == 2);
    CHECK(read.env == type.env);
    CHECK(read.cwd == "/");
    CHECK(read.umask == 077);
    CHECK(read.exit == type.exit);
    CHECK(read.output_head_bytes == 3);
    CHECK(read.output_tail_bytes == 4);
    CHECK(read.limits.memory_bytes == 5);
    CHECK(read.limits.cpu_s == 6);
    CHECK(read.limits.files == 7);
    CHECK(read.limits.processes == 8);
    CHECK(read.limits.nice == -9);
    CHECK(got->run_allowed);
    CHECK(got->version == "v");
}

TEST_CASE("runner_messages: TAKE and its answer come as they were sent") {
    TakeRequest sent{"p", "v", {"q", "r"}, {"t"}, 5, 1'000};
    auto got = read_take(write(sent));
    REQUIRE(got);
    CHECK(got->pool == "p");
    CHECK(got->config == "v");
    CHECK(got->queues == sent.queues);
    CHECK(got->types == sent.types);
    CHECK(got->count == 5);
    CHECK(got->wait_ms == 1'000);
    CHECK_FALSE(read_take(R"({"queues":[]})"));
    CHECK_FALSE(read_take(R"({"queues":"q"})"));
    CHECK(read_take(R"({"queues":["q"],"count":0,"wait_ms":-1})")->count == 1);
    CHECK(read_take(R"({"queues":["q"],"count":100000000000})")->count == limits::kListPageMax);
    CHECK(read_take(R"({"queues":["q"],"wait_ms":100000000000})")->wait_ms ==
          limits::kFetchWaitMaxMs);

    TakenJob job;
    job.jid = "j";
    job.type = "t";
    job.queue = "q";
    job.token = "k";
    job.attempt = 2;
    job.max_attempts = 3;
    job.timeout_ms = 4;
    job.deadline = "2030-01-01T00:00:00Z";
    job.payload = "{\"a\": \"" + std::string(100, 'x') + "\", \"n\": 12345678901234567890123}";
    job.traceparent = "00-1-2-3";
    const std::vector<TakenJob> jobs{job};
    auto taken = read_taken(write(jobs));
    REQUIRE(taken);
    REQUIRE(taken->size() == 1);
    const TakenJob& read = taken->front();
    CHECK(read.jid + read.type + read.queue + read.token == "jtqk");
    CHECK(read.attempt == 2);
    CHECK(read.max_attempts == 3);
    CHECK(read.timeout_ms == 4);
    CHECK(read.deadline == job.deadline);
    CHECK(read.payload == job.payload);
    CHECK(read.traceparent == job.traceparent);
}

TEST_CASE("runner_messages: a report and its answer come as they were sent") {
    DoneReport sent;
    sent.jid = "j";
    sent.token = "t";
    RunReport& run = sent.run;
    run.outcome = Outcome::snooze;
    run.error_type = kAwkward;
    run.message = kAwkward;
    run.backtrace = {"one", kAwkward};
    run.exit_code = 3;
    run.signal = 9;
    run.snooze_ms = 5'000;
    run.started_ms = 1'700'000'000'001;
    run.ended_ms = 1'700'000'000'002;
    run.result = "{\"a\":1}";
    run.result_is_json = true;
    run.result_cut = {5, 6};
    run.log = kBytes;
    run.log_cut = {7, 8};
    run.order = "5,e3,o4";
    run.user_cpu_ms = 1;
    run.system_cpu_ms = 2;
    run.max_rss_kib = 3;
    run.worker = "w";
    const std::vector<const DoneReport*> reports{&sent};
    auto got = read_done(write(reports));
    REQUIRE(got);
    REQUIRE(got->size() == 1);
    CHECK(got->front().jid == "j");
    CHECK(got->front().token == "t");
    const RunReport& read = got->front().run;
    CHECK(read.outcome == run.outcome);
    CHECK(read.error_type == run.error_type);
    CHECK(read.message == run.message);
    CHECK(read.backtrace == run.backtrace);
    CHECK(read.exit_code == run.exit_code);
    CHECK(read.signal == run.signal);
    CHECK(read.snooze_ms == run.snooze_ms);
    CHECK(read.started_ms == run.started_ms);
    CHECK(read.ended_ms == run.ended_ms);
    CHECK(read.result == run.result);
    CHECK(read.result_is_json);
    CHECK(read.result_cut == run.result_cut);
    CHECK(read.log == run.log);
    CHECK(read.log_cut == run.log_cut);
    CHECK(read.order == run.order);
    CHECK(read.user_cpu_ms == 1);
    CHECK(read.system_cpu_ms == 2);
    CHECK(read.max_rss_kib == 3);
    CHECK(read.worker == "w");

    const std::vector<DoneAnswer> answers{{"j", true}, {"k", false, ErrorCode::lease_lost}};
    auto read_back = read_done_answers(write(answers));
    REQUIRE(read_back);
    REQUIRE(read_back->size() == 2);
    CHECK(read_back->front().ok);
    CHECK_FALSE(read_back->back().ok);
    CHECK(read_back->back().error == ErrorCode::lease_lost);
}

TEST_CASE(
    "runner_messages: one report that can't be read makes the line unreadable, with its why") {
    for (const std::string report :
         {R"({"jid":"j","token":"t","outcome":"odd"})", R"({"jid":"j","token":"t"})",
          R"({"jid":"j","outcome":"success"})", R"({"token":"t","outcome":"success"})",
          R"({"jid":"j","token":"t","outcome":"success","log_b64":"?"})",
          R"({"jid":"j","token":"t","outcome":"success","exit_code":"1"})", "1", "null"}) {
        INFO(report);
        auto got = read_done("{\"jobs\":[{\"jid\":\"a\",\"token\":\"b\",\"outcome\":\"success\"}," +
                             report + "]}");
        REQUIRE_FALSE(got);
        CHECK_THAT(got.error().text, Catch::StartsWith("DONE: "));
    }
    // What is said to be JSON and is not is kept as text.
    auto got = read_done(
        R"({"jobs":[{"jid":"j","token":"t","outcome":"success","result":"{","result_json":true}]})");
    REQUIRE(got);
    CHECK_FALSE(got->front().run.result_is_json);
    // What was too long is still known to be JSON.
    got = read_done(
        R"({"jobs":[{"jid":"j","token":"t","outcome":"success","result_json":true,"result_cut":9}]})");
    REQUIRE(got);
    CHECK(got->front().run.result_is_json);
    CHECK(got->front().run.result_cut == LeftOut{0, 9});
}

TEST_CASE("runner_messages: HEARTBEAT and its answer come as they were sent") {
    for (auto state : {BeatState::running, BeatState::quiet, BeatState::ended}) {
        HeartbeatRequest sent;
        sent.running = {{"j", "t", 1}, {"k", "u", 2}};
        sent.wait_ms = 500;
        sent.state = state;
        auto got = read_heartbeat(write(sent));
        REQUIRE(got);
        REQUIRE(got->running.size() == 2);
        CHECK(got->running[1].jid == "k");
        CHECK(got->running[1].token == "u");
        CHECK(got->wait_ms == 500);
        CHECK(got->state == state);
    }
    CHECK(read_heartbeat("{}"));
    CHECK_FALSE(read_heartbeat(R"({"running":[{"jid":"j"}]})"));
    CHECK_FALSE(read_heartbeat(R"({"running":{}})"));
    for (auto state : {WorkerState::running, WorkerState::quiet, WorkerState::terminate}) {
        Notices sent{{"a", "b"}, {"c"}, state, "7"};
        auto got = read_notices(write(sent));
        REQUIRE(got);
        CHECK(got->cancel == sent.cancel);
        CHECK(got->lost == sent.lost);
        CHECK(got->state == state);
        CHECK(got->config == "7");
    }
}

TEST_CASE("runner_messages: OUTPUT comes byte for byte") {
    for (const std::string& bytes : {std::string("text"), kAwkward, kBytes, std::string()}) {
        for (auto stream : {OutputStream::out, OutputStream::err}) {
            OutputRequest sent;
            sent.chunks.push_back({"j", "t", 2, {stream, 1LL << 40, 77, bytes}, true});
            auto got = read_output(write(sent));
            REQUIRE(got);
            REQUIRE(got->chunks.size() == 1);
            CHECK(got->chunks.front().jid == "j");
            CHECK(got->chunks.front().token == "t");
            CHECK(got->chunks.front().attempt == 2);
            CHECK(got->chunks.front().piece == sent.chunks.front().piece);
            CHECK(got->chunks.front().followed);
        }
    }
}

TEST_CASE("runner_messages: a wait for room, and what jobqd says of it, come as they were sent") {
    OutputRequest sent;
    sent.wait_ms = 5'000;
    auto got = read_output(write(sent));
    REQUIRE(got);
    CHECK(got->chunks.empty());
    CHECK(got->wait_ms == 5'000);
    CHECK(read_output(R"({"wait_ms":99999999})")->wait_ms == limits::kFetchWaitMaxMs);

    const std::vector<OutputRoom> rooms{{"a", OutputRoom::kNobody}, {"b", 0}, {"c", 7, false}};
    auto back = read_output_rooms(write(rooms));
    REQUIRE(back);
    REQUIRE(back->size() == 3);
    for (size_t i = 0; i < 3; ++i) {
        CHECK((*back)[i].jid == rooms[i].jid);
        CHECK((*back)[i].room == rooms[i].room);
        CHECK((*back)[i].known == rooms[i].known);
    }
    // A jobqd of an earlier version.
    CHECK(read_output_rooms(R"({"ok":true})")->empty());
}
