// The runner's lines to children, its captured output and the order of its queues: what is pure of
// it.
// No processes, no sockets.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/limits.h"
#include "core/json/document.h"
#include "core/json/fields.h"
#include "daemon/runner/backlog.h"
#include "daemon/runner/capture.h"
#include "daemon/runner/child_lines.h"
#include "daemon/runner/pool.h"

using namespace jobq;
using nlohmann::json;

TEST_CASE("lines of a child that can't be read are errors") {
    for (const std::string line :
         {"", "{}", "[]", "{\"jid\":\"a\"}", "{\"jid\":\"a\",\"ok\":\"yes\"}",
          "{\"jid\":1,\"ok\":true}", "{\"jid\":\"a\",\"ok\":true} x", "\"\xff\""}) {
        INFO(line);
        auto message = read_child_message(line);
        REQUIRE_FALSE(message);
        CHECK(message.error().code == ErrorCode::bad_data);
    }
}

TEST_CASE("lines of a child: progress, success with its result as it came, failure") {
    using Kind = ChildMessage::Kind;
    auto progress = read_child_message(R"({"jid":"a","progress":250,"note":"n"})");
    REQUIRE(progress);
    CHECK(progress->kind == Kind::progress);
    CHECK(progress->progress == 100);
    CHECK(progress->note == "n");
    auto success =
        read_child_message(R"({"jid":"a","ok":true,"result":{"n": 12345678901234567890123}})");
    REQUIRE(success);
    CHECK(success->kind == Kind::success);
    CHECK(success->result == R"({"n": 12345678901234567890123})");
    auto failure =
        read_child_message(R"({"jid":"a","ok":false,"error":"e","kind":"k","retry":false})");
    REQUIRE(failure);
    CHECK(failure->kind == Kind::failure);
    CHECK(failure->error == "e");
    CHECK(failure->error_kind == "k");
    CHECK_FALSE(failure->retry);
    CHECK(read_child_message(R"({"jid":"a","ok":false})")->retry);
}

TEST_CASE("the payload of a run job: argv, env, cwd, and what it can't be") {
    auto request = read_run_request(R"({"argv":["a","b"],"env":{"A":"1"},"cwd":"/tmp"})");
    REQUIRE(request);
    CHECK(request->argv == std::vector<std::string>{"a", "b"});
    CHECK(request->env == std::map<std::string, std::string>{{"A", "1"}});
    CHECK(request->cwd == "/tmp");
    for (const std::string payload :
         {"", "[]", "{}", R"({"argv":[]})", R"({"argv":[""]})", R"({"argv":["a",1]})",
          R"({"argv":["a"],"cwd":"tmp"})", R"({"argv":["a"],"env":{"A":1}})",
          R"({"argv":["a"],"env":[]})"}) {
        INFO(payload);
        auto wrong = read_run_request(payload);
        REQUIRE_FALSE(wrong);
        CHECK(wrong.error().code == ErrorCode::bad_data);
    }
}

TEST_CASE("a job for a child is one line whatever its payload looks like") {
    TakenJob job;
    job.jid = "a\"b";
    job.payload = "[1,\r\n 12345678901234567890123]";
    auto line = write_child_job(job);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK_THAT(line, Catch::Contains("\"args\":[1,   12345678901234567890123]}\n"));
    CHECK(json::parse(line)["jid"] == "a\"b");
}

TEST_CASE("the last line of a capture is clean, short and not blank") {
    Capture capture(10, 40);
    CHECK(capture.last_line(100).empty());
    capture.append("first\nthe \x1b[31mreal\x07 one\xff\n \n\n");
    auto line = capture.last_line(100);
    CHECK_THAT(line, Catch::StartsWith("the ") && Catch::Contains("real"));
    for (char c : line)
        CHECK(static_cast<unsigned char>(c) >= 0x20);
    CHECK(capture.last_line(3) == "the");
    Capture bar(1'000, 1'000);
    for (int i = 0; i < 60; ++i)
        bar.append("\rdownloading " + std::to_string(i) + "% of the file");
    bar.append("\rERROR: disk full\r\n");
    CHECK(bar.last_line(100) == "ERROR: disk full");
}

TEST_CASE("queues of a strict pool keep their order, weighted ones share by weight") {
    PoolSpec pool;
    pool.queues = {{"a", 1}, {"b", 6}, {"c", 3}};
    Rng rng(7);
    CHECK(queue_order(pool, rng) == std::vector<std::string>{"a", "b", "c"});
    pool.strict = false;
    std::map<std::string, int> first;
    for (int i = 0; i < 10'000; ++i) {
        auto order = queue_order(pool, rng);
        REQUIRE(order.size() == 3);
        ++first[order[0]];
    }
    CHECK(first["a"] == Approx(1'000).margin(150));
    CHECK(first["b"] == Approx(6'000).margin(200));
    CHECK(first["c"] == Approx(3'000).margin(200));
}

TEST_CASE("what waits too long goes back with all behind it, of its pool alone") {
    Backlog backlog;
    auto add = [&](const std::string& pool, const std::string& jid, int64_t now_ms) {
        TakenJob job;
        job.jid = jid;
        backlog.push(pool, std::move(job), now_ms, 0);
    };
    add("a", "1", 100);
    add("b", "2", 100);
    add("a", "3", 300);
    CHECK(backlog.take_stale("a", 99).empty());
    CHECK(backlog.count("a") == 2);
    auto back = backlog.take_stale("a", 100);
    REQUIRE(back.size() == 2);
    CHECK(back[0].jid == "1");
    CHECK(back[1].jid == "3");
    CHECK(backlog.count("a") == 0);
    CHECK(backlog.count("b") == 1);
}
