// Jobs on the wire: PUSH as Faktory has it, JOBQ ENQUEUE as jobq-protocol(7) has it; every bound
// from both sides.
#include "core/protocol/job_wire.h"

#include <catch2/catch.hpp>

#include "core/base/limits.h"
#include "core/protocol/enqueue_fields.h"

using namespace jobq;

namespace {

constexpr int64_t kNow = 1'795'305'600'000;  // 2026-11-22T00:00:00Z

std::string pushed(const std::string& more) {
    return R"({"jid":"12345678","jobtype":"t","args":[])" + (more.empty() ? "" : "," + more) + "}";
}

std::string quoted(size_t bytes) {
    return "\"" + std::string(bytes, 'x') + "\"";
}

struct Case {
    std::string json;
    std::string error;  // a part of it; "" it is taken
};

template <class Parse>
void check_all(const std::vector<Case>& cases, Parse parse) {
    for (const auto& one : cases) {
        INFO(one.json.substr(0, 200));
        const std::string error = parse(one.json);
        INFO(error);
        if (one.error.empty())
            CHECK(error.empty());
        else
            CHECK(error.find(one.error) != std::string::npos);
    }
}

std::string push_error(const std::string& json) {
    const auto job = parse_push(json, kNow);
    return job ? "" : job.error().text;
}

std::string enqueue_error(const std::string& json) {
    const auto request = parse_enqueue(json, kNow, "01KB7D3V9GQ2J5M8N1P4R7T0WX");
    return request ? "" : request.error().text;
}

}  // namespace

TEST_CASE("job wire: what PUSH takes and refuses") {
    check_all(
        {{pushed(""), ""},
         {"", "invalid JSON"},
         {"[]", "invalid JSON"},
         {"{}", "reasonable jid"},
         {R"({"jid":"1234567","jobtype":"t","args":[]})", "reasonable jid"},
         {R"({"jid":)" + quoted(limits::kJidBytes) + R"(,"jobtype":"t","args":[]})", ""},
         {R"({"jid":)" + quoted(limits::kJidBytes + 1) + R"(,"jobtype":"t","args":[]})", "jid"},
         {R"({"jid":12345678,"jobtype":"t","args":[]})", "invalid JSON"},
         {R"({"jid":"12345678","args":[]})", "jobtype parameter"},
         {R"({"jid":"12345678","jobtype":"t"})", "args parameter"},
         {R"({"jid":"12345678","jobtype":"t","args":null})", "args parameter"},
         {R"({"jid":"12345678","jobtype":"t","args":{}})", "must be an array"},
         {R"({"jid":"12345678","args":[],"jobtype":)" + quoted(limits::kTypeBytes) + "}", ""},
         {R"({"jid":"12345678","args":[],"jobtype":)" + quoted(limits::kTypeBytes + 1) + "}",
          "type"},
         {pushed(R"("custom":[])"), "must be an object"},
         {pushed(R"("failure":1)"), "must be an object"},
         {pushed(R"("queue":"")"), ""},
         {pushed(R"("queue":"a b")"), "queue names must match"},
         {pushed(R"("reserve_for":86400)"), ""},
         {pushed(R"("reserve_for":86401)"), "more than one day"},
         {pushed(R"("retry":-1)"), ""},
         {pushed(R"("retry":1.5)"), "invalid JSON"},
         {pushed(R"("retry":99999999999999999999)"), "invalid JSON"},
         {pushed(R"("at":"2026-11-23T00:00:00Z")"), ""},
         {pushed(R"("at":"tomorrow")"), "invalid timestamp for 'at'"},
         {pushed(R"("anything":{"else":1})"), ""}},
        push_error);
}

TEST_CASE("job wire: a PUSH becomes the job it describes") {
    const auto job =
        parse_push(pushed(R"("queue":"mail","priority":9,"retry":3,"at":"2026-11-23T00:00:00Z",)"
                          R"("args": [1, "two"],"custom":{"a":1})"),
                   kNow);
    REQUIRE(job);
    CHECK(job->queue == "mail");
    CHECK(job->priority == 9);
    CHECK(job->retry == 3);
    CHECK(job->run_at_ms == kNow + 86'400'000);
    CHECK(job->created_ms == kNow);
    CHECK(job->custom == R"({"a":1})");

    for (const char* odd : {"0", "10", "\"high\"", "1.5", "null"})
        CHECK(parse_push(pushed(std::string(R"("priority":)") + odd), kNow)->priority ==
              limits::kPriorityNormal);
    // A time that has passed is now.
    CHECK(parse_push(pushed(R"("at":"2020-01-01T00:00:00Z")"), kNow)->run_at_ms == 0);
    CHECK(parse_push(pushed(R"("retry":5000)"), kNow)->retry == limits::kAttemptsMax);
}

TEST_CASE("job wire: PUSHB answers for each job, and refuses a wrong type as a whole") {
    const auto bulk = parse_push_bulk(
        "[" + pushed("") + R"(,{"jid":"short","jobtype":"t","args":[]},)" + pushed("") + "]", kNow);
    REQUIRE(bulk);
    CHECK(bulk->jobs.size() == 2);
    REQUIRE(bulk->refused.size() == 1);
    CHECK(bulk->refused[0].first == "short");
    CHECK(parse_push_bulk("[]", kNow)->jobs.empty());
    CHECK(!parse_push_bulk("{}", kNow));
    CHECK(!parse_push_bulk("[1]", kNow));
    CHECK(!parse_push_bulk("[" + pushed(R"("retry":"x")") + "]", kNow));
}

TEST_CASE("job wire: what JOBQ ENQUEUE takes and refuses") {
    const auto payload = [](size_t bytes) {
        return R"({"type":"t","payload":)" + quoted(bytes - 2) + "}";
    };
    check_all(
        {{R"({"type":"t"})", ""},
         {R"({"type":""})", "type"},
         {"{}", "type"},
         {R"({"type":"t","jobtype":"t"})", "unknown field \"jobtype\""},
         {R"({"type":"t","payload":1,"args":[]})", "give one of"},
         {R"({"type":"t","payload":null,"payload_text":"1"})", "give one of"},
         {R"({"type":"t","args":{}})", "must be an array"},
         {R"({"type":"t","payload_text":"{"})", "JSON"},
         {payload(limits::kPayloadBytes), ""},
         {payload(limits::kPayloadBytes + 1), "exceeds the limit"},
         {R"({"type":"t","priority":1})", ""},
         {R"({"type":"t","priority":9})", ""},
         {R"({"type":"t","priority":0})", "priority"},
         {R"({"type":"t","priority":10})", "priority"},
         {R"({"type":"t","max_attempts":0})", "max_attempts"},
         {R"({"type":"t","max_attempts":1})", ""},
         {R"({"type":"t","delay_ms":-1})", "negative"},
         {R"({"type":"t","delay_ms":0})", ""},
         {R"({"type":"t","delay_ms":9223372036854775807})", "beyond the year 9999"},
         {R"({"type":"t","delay_ms":1,"run_at":"2026-11-23T00:00:00Z"})", "not both"},
         {R"({"type":"t","run_at":"noon"})", "run_at"},
         {R"({"type":"t","expires_ms":0})", "positive"},
         {R"({"type":"t","expires_ms":9223372036854775807})", ""},
         {R"({"type":"t","timeout":"5m"})", ""},
         {R"({"type":"t","timeout":"5 parsecs"})", "timeout"},
         {R"({"type":"t","timeout":"5m","timeout_ms":1})", "not both"},
         {R"({"type":"t","queue":"a/b"})", "queue"},
         {R"({"type":"t","queue":)" + quoted(limits::kNameBytes) + "}", ""},
         {R"({"type":"t","queue":)" + quoted(limits::kNameBytes + 1) + "}", "queue"},
         {R"({"type":"t","idempotency_key":)" + quoted(limits::kIdempotencyKeyBytes) + "}", ""},
         {R"({"type":"t","idempotency_key":)" + quoted(limits::kIdempotencyKeyBytes + 1) + "}",
          "idempotency_key"},
         {R"({"type":"t","unique_until":"start"})", "unique"},
         {R"({"type":"t","tags":["a"]})", ""},
         {R"({"type":"t","tags":{}})", "tags"}},
        enqueue_error);
}

TEST_CASE("job wire: the list of known fields in the refusal is the list that is known") {
    const std::string error = enqueue_error(R"({"type":"t","bogus":1})");
    for (const std::string_view name : kEnqueueFields) {
        const std::string field(name);
        INFO(field);
        CHECK(error.find(" " + field) != std::string::npos);
        // Wrong in its own way, or taken; never unknown.
        CHECK(enqueue_error(R"({"type":"t",")" + field + R"(":[[]]})").find("unknown") ==
              std::string::npos);
    }
}
