// The runner's messages, its captured output and the order of its queues: what is pure of it.
// No processes, no sockets.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/base/limits.h"
#include "daemon/runner/capture.h"
#include "daemon/runner/pool.h"
#include "daemon/runner/wire.h"

using namespace jobq;
using nlohmann::json;

namespace {

json body_of(const std::string& line) {
    REQUIRE(line.back() == '\n');
    REQUIRE(line.find('\n') == line.size() - 1);
    return json::parse(line.substr(line.find('{')));
}

}  // namespace

TEST_CASE("POOLS fills pools and types and keeps defaults for what is not said") {
    auto got = parse_assignment(R"({"pools":[
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
    CHECK(got->run_allowed);
    CHECK(got->version == "v7");
}

TEST_CASE("messages that can't be read are errors, never a crash") {
    std::string deep(100'000, '[');
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("{"), std::string("{\"jobs\":1}"),
          std::string("{\"jobs\":[{}]}"), "{\"jobs\":" + deep,
          std::string("{\"jobs\":[{\"jid\":1}]}"), std::string("{\"jobs\":[\"\xff\"]}")}) {
        CAPTURE(text.substr(0, 30));
        CHECK_FALSE(parse_taken(text));
        CHECK_FALSE(parse_done_answers(text));
    }
    CHECK_FALSE(parse_notices("{\"cancel\":[1]}"));
    CHECK_FALSE(parse_assignment("{}"));
    CHECK_FALSE(parse_child_message("{\"jid\":\"a\"}"));
    CHECK_FALSE(parse_child_message("{\"jid\":\"a\",\"ok\":\"yes\"}"));
}

TEST_CASE("the depth of JSON is limited, its numbers are not") {
    auto nested = [](int depth) {
        return std::string(size_t(depth), '[') + std::string(size_t(depth), ']');
    };
    CHECK(is_plain_json(nested(limits::kJsonDepth)));
    CHECK_FALSE(is_plain_json(nested(limits::kJsonDepth + 1)));
    CHECK(is_plain_json(" 123456789012345678901234567890 "));
    CHECK_FALSE(is_plain_json("1 2"));
    CHECK_FALSE(is_plain_json("\"\xff\""));
    CHECK_FALSE(is_plain_json(""));
}

TEST_CASE("a report carries everything that is known and stays within a line") {
    DoneReport report;
    report.jid = "j";
    report.token = "t";
    report.run.outcome = Outcome::crash;
    report.run.error_type = "signal SIGSEGV";
    report.run.signal = 11;
    report.run.started_ms = 1'000;
    report.run.log = std::string(200'000, '\x1b');
    report.run.result = std::string(300'000, '"');
    auto line = format_done({&report});
    CHECK(line.size() < limits::kLineBytes);
    auto job = body_of(line)["jobs"][0];
    CHECK(job["outcome"] == "crash");
    CHECK(job["signal"] == 11);
    CHECK_FALSE(job.contains("exit_code"));
    CHECK(job["started_at"] == "1970-01-01T00:00:01Z");
    CHECK(base64_decode(job["log_b64"].get<std::string>()) == report.run.log);
    CHECK(base64_decode(job["result_b64"].get<std::string>()) == report.run.result);
}

TEST_CASE("a job for a child is one line whatever its payload looks like") {
    TakenJob job;
    job.jid = "a\"b";
    job.payload = "[1,\r\n 12345678901234567890123]";
    auto line = format_child_job(job);
    CHECK(line.find('\n') == line.size() - 1);
    CHECK_THAT(line, Catch::Contains("\"args\":[1,   12345678901234567890123]}\n"));
    CHECK(json::parse(line)["jid"] == "a\"b");
}

TEST_CASE("a capture keeps all of a short output") {
    Capture capture(4, 4);
    capture.append("abcdef");
    capture.append("gh");
    CHECK(capture.text() == "abcdefgh");
    CHECK_FALSE(capture.is_cut());
    CHECK(capture.total() == 8);
}

TEST_CASE("a capture keeps head and tail of a long output and says what is missing") {
    for (size_t step : {1U, 2U, 3U, 7U, 100U}) {
        Capture capture(4, 5);
        std::string all;
        for (int i = 0; all.size() < 1'000; ++i)
            all += std::to_string(i);
        for (size_t at = 0; at < all.size(); at += step)
            capture.append(std::string_view(all).substr(at, step));
        CAPTURE(step);
        CHECK(capture.text() == all.substr(0, 4) + "\n... " + std::to_string(all.size() - 9) +
                                    " bytes left out ...\n" + all.substr(all.size() - 5));
        CHECK(capture.is_cut());
    }
}

TEST_CASE("the cut in a capture never halves a character") {
    Capture capture(4, 4);
    capture.append(
        "ab\xe2\x82\xac"
        "cd"
        "\xe2\x82\xac"
        "yz");  // abEcdEyz with euro signs
    CHECK(capture.text() == "ab\n... 8 bytes left out ...\nyz");
}

TEST_CASE("pieces of a capture add up to the whole, with whole characters, from 0 after a rewind") {
    Capture capture(100, 100);
    std::string all = "one \xe2\x82\xac two \xf0\x9f\x98\x80 three";
    std::string got;
    for (size_t round = 0; round < 2; ++round) {
        got.clear();
        if (round == 0) {
            for (char c : all) {
                capture.append(std::string_view(&c, 1));
                while (auto piece = capture.take_piece(1'000)) {
                    CHECK(piece->offset == int64_t(got.size()));
                    CHECK(is_plain_json("\"" + piece->bytes + "\""));
                    got += piece->bytes;
                }
            }
        } else {
            capture.rewind();
            while (auto piece = capture.take_piece(7))
                got += piece->bytes;
        }
        CHECK(got == all);
    }
}

TEST_CASE("pieces of a flood skip what the ring has dropped") {
    Capture capture(10, 10);
    capture.append("0123456789abc");
    REQUIRE(capture.take_piece(10)->bytes == "0123456789");
    capture.append(std::string(1'000, 'x') + "ABCDEFGHIJ");
    auto piece = capture.take_piece(100);
    REQUIRE(piece);
    CHECK(piece->offset == 1'013);
    CHECK(piece->bytes == "ABCDEFGHIJ");
    CHECK_FALSE(capture.take_piece(100));
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
