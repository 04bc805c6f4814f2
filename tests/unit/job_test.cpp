// core/job/job: which jobs are acceptable, with a message that helps, and what a handler sees.
#include "core/job/job.h"

#include <catch2/catch.hpp>
#include <functional>

using namespace jobq;

namespace {

Job good_job() {
    Job job;
    job.jid = "12345678";
    job.type = "email";
    job.args = "[1]";
    return job;
}

}  // namespace

TEST_CASE("a name is 1 to 255 letters, digits, dots, underscores and dashes") {
    CHECK(is_name("a"));
    CHECK(is_name("Mail.high_prio-2"));
    CHECK(is_name(std::string(255, 'x')));
    for (const char* bad : {"", "a b", "a/b", "a:b", "\xC3\xA9", "a\n", "a*", "{a}"}) {
        INFO(bad);
        CHECK_FALSE(is_name(bad));
    }
    CHECK_FALSE(is_name(std::string(256, 'x')));
}

TEST_CASE("jobs as client libraries make them are valid") {
    Job job = good_job();
    CHECK(validate(job));
    job.type = "My::Worker with spaces";
    job.jid = std::string(128, 'j');
    job.retry = -1;
    job.reserve_for_s = -1;
    job.max_attempts = 1000;
    job.priority = 9;
    job.timeout_ms = 1;
    job.custom = R"({"a":1})";
    job.tags = R"(["a"])";
    CHECK(validate(job));
}

TEST_CASE("what is wrong with a job is named with field, value and rule") {
    struct Row {
        std::function<void(Job&)> spoil;
        std::string field, shown, rule;
    };

    auto row = GENERATE(values<Row>({
        {[](Job& j) { j.jid = "short"; }, "jid", "\"short\"", "8 to 128"},
        {[](Job& j) { j.jid = std::string(129, 'j'); }, "jid", "129 bytes", "8 to 128"},
        {[](Job& j) { j.jid = "with space"; }, "jid", "\"with space\"", "without spaces"},
        {[](Job& j) { j.jid = "tab\tabcde"; }, "jid", "tab abcde", "control"},
        {[](Job& j) { j.jid = "bad\xFFutf8"; }, "jid", "bad", "UTF-8"},
        {[](Job& j) { j.type = ""; }, "type", "\"\"", "must name"},
        {[](Job& j) { j.type = std::string(256, 't'); }, "type", "256 bytes", "at most 255"},
        {[](Job& j) { j.type = "a\x1b[1m"; }, "type", "\"a\"", "control"},
        {[](Job& j) { j.queue = ""; }, "queue", "\"\"", "1 to 255"},
        {[](Job& j) { j.queue = "my queue"; }, "queue", "\"my queue\"", "A-Z, a-z"},
        {[](Job& j) { j.priority = 0; }, "priority", "0", "1 to 9"},
        {[](Job& j) { j.priority = 10; }, "priority", "10", "1 to 9"},
        {[](Job& j) { j.max_attempts = 0; }, "max_attempts", "0", "1 to 1000"},
        {[](Job& j) { j.max_attempts = 1001; }, "max_attempts", "1001", "1 to 1000"},
        {[](Job& j) { j.retry = 1001; }, "retry", "1001", "to 1000"},
        {[](Job& j) { j.timeout_ms = 0; }, "timeout_ms", "0", "from 1"},
        {[](Job& j) { j.timeout_ms = -5; }, "timeout_ms", "-5", "from 1"},
        {[](Job& j) { j.run_at_ms = -1; }, "run_at_ms", "-1", "from 0"},
        {[](Job& j) { j.expires_ms = INT64_MAX; }, "expires_ms", "9223372036854775807", "from 0"},
        {[](Job& j) { j.reserve_for_s = 86'401; }, "reserve_for", "86401", "to 86400"},
        {[](Job& j) { j.idempotency_key = std::string(257, 'k'); }, "idempotency_key", "257 bytes",
         "at most 256"},
        {[](Job& j) { j.tags = "{}"; }, "tags", "\"{}\"", "array"},
        {[](Job& j) { j.custom = "[1]"; }, "custom", "\"[1]\"", "object"},
    }));
    Job job = good_job();
    row.spoil(job);
    auto result = validate(job);
    REQUIRE_FALSE(result);
    INFO(result.error().text);
    CHECK(result.error().code == ErrorCode::invalid);
    CHECK(result.error().text.find(row.field + " ") == 0);
    CHECK(result.error().text.find(row.shown) != std::string::npos);
    CHECK(result.error().text.find(row.rule) != std::string::npos);
}

TEST_CASE("a job whose fields take too much is too large") {
    Job job = good_job();
    job.custom = "{\"a\":\"" + std::string(limits::kEnvelopeBytes, 'x') + "\"}";
    auto result = validate(job);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::too_large);
}

TEST_CASE("a handler sees the single argument itself, else the array") {
    auto payload = [](std::string args) {
        Job job;
        job.args = std::move(args);
        return std::string(handler_payload(job));
    };
    CHECK(payload("[{\"a\":1}]") == "{\"a\":1}");
    CHECK(payload("[ 1 ]") == "1");
    CHECK(payload("[\"a,b\"]") == "\"a,b\"");
    CHECK(payload("[\"a\\\",b\"]") == "\"a\\\",b\"");
    CHECK(payload("[[1,2]]") == "[1,2]");
    CHECK(payload("[{\"a\":[1,2],\"b\":\"]\"}]") == "{\"a\":[1,2],\"b\":\"]\"}");
    CHECK(payload("[1,2]") == "[1,2]");
    CHECK(payload("[{},{}]") == "[{},{}]");
    CHECK(payload("[]") == "[]");
    CHECK(payload("[ ]") == "[ ]");
    CHECK(payload("") == "");
}
