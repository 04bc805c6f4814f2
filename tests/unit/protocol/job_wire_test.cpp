// Jobs on the wire: PUSH as Faktory has it, JOBQ ENQUEUE as jobq-protocol(7) has it; every bound
// from both sides.
#include "core/protocol/job_wire.h"

#include <catch2/catch.hpp>

#include "core/base/limits.h"

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
    // One that is nested too deeply refuses itself alone.
    const std::string deep = R"({"jid":"deep-one","jobtype":"t","args":)" + std::string(90, '[') +
                             std::string(90, ']') + "}";
    const auto mixed = parse_push_bulk("[" + deep + ", " + pushed("") + "," + deep + "]", kNow);
    REQUIRE(mixed);
    CHECK(mixed->jobs.size() == 1);
    REQUIRE(mixed->refused.size() == 2);
    CHECK(mixed->refused[0].first == "deep-one");
    CHECK(!parse_push_bulk("[" + deep + "," + pushed("") + "", kNow));
    // A lone surrogate beside it is mended, and a null of the client's is no placeholder.
    const std::string lone = R"({"jid":"lone-one","jobtype":"t","args":["\ud800"]})";
    CHECK(parse_push_bulk("[" + deep + "," + lone + "]", kNow)->jobs.size() == 1);
    CHECK(!parse_push_bulk(R"([{"jid":"short","jobtype":"t","args":[]},null])", kNow));
    // What PUSH takes a PUSHB takes, and no more.
    for (size_t depth : {limits::kJsonDepth, limits::kJsonDepth + 1, limits::kJsonDepth + 2}) {
        const std::string job = R"({"jid":"edge-one","jobtype":"t","args":[)" +
                                std::string(depth, '[') + std::string(depth, ']') + "]}";
        const bool good = parse_push(job, kNow).has_value();
        INFO(depth);
        CHECK(good == (depth <= limits::kJsonDepth));
        const auto edge = parse_push_bulk("[" + job + "," + pushed("") + "]", kNow);
        REQUIRE(edge);
        CHECK(edge->jobs.size() == (good ? 2 : 1));
        CHECK(edge->refused.size() == (good ? 0 : 1));
    }
    CHECK(!parse_push_bulk("[" + deep + ",null,x]", kNow));
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

TEST_CASE("job wire: text is UTF-8, in PUSH and JOBQ ENQUEUE alike") {
    struct Row {
        std::string bytes;   // within a JSON string
        std::string text;    // what it means; "": refused
        std::string push{};  // the same in PUSH, where it is not the same: as Go's decoder has it
    };

    const std::vector<Row> rows{{"caf\xC3\xA9", "caf\xC3\xA9"},
                                {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
                                {R"(\u00e9)", "\xC3\xA9"},
                                {R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"},
                                {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},  // the last of all
                                {"\xF4\x90\x80\x80", ""},                  // the one behind it
                                {"\xED\xA0\x80", ""},                      // a surrogate
                                {"\xC0\xAF", ""},                          // overlong
                                {"\xE2\x82", ""},                          // cut
                                {"\x80", ""},
                                {"\xFF", ""},
                                {R"(\ud83d)", "", "\uFFFD"},  // half of a pair
                                {R"(\ude00\ud83d)", "", "\uFFFD\uFFFD"}};
    for (const auto& row : rows) {
        INFO(row.bytes);
        const auto push =
            parse_push(R"({"jid":"12345678","args":[],"jobtype":")" + row.bytes + R"("})", kNow);
        const auto enqueue = parse_enqueue(R"({"type":")" + row.bytes + R"("})", kNow, "12345678");
        const std::string pushed = row.push.empty() ? row.text : row.push;
        REQUIRE(push.has_value() == !pushed.empty());
        REQUIRE(enqueue.has_value() == !row.text.empty());
        // The args are not read, but for this.
        CHECK(parse_push(R"({"jid":"12345678","jobtype":"t","args":[")" + row.bytes + "\"]}", kNow)
                  .has_value() == !pushed.empty());
        if (push) CHECK(push->type == pushed);
        if (enqueue) CHECK(enqueue->job.type == row.text);
    }
}

TEST_CASE("job wire: the options of JOBQ ENQUEUE and their bounds") {
    const std::string jid = R"({"type":"t","jid":"12345678")";
    const auto with = [](const std::string& more) { return R"({"type":"t",)" + more + "}"; };
    const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const std::string most = std::to_string(limits::kAttemptsMax);
    const std::string end_of_time = std::to_string(limits::kTimeMaxMs);
    check_all({{with(R"("max_attempts":)" + most), ""},
               {with(R"("max_attempts":)" + std::to_string(limits::kAttemptsMax + 1)),
                "max_attempts 1001: it must be from 1 to 1000"},
               {with(R"("max_attempts":9223372036854775807)"), "max_attempts"},
               {with(R"("max_attempts":"3")"), "max_attempts"},
               {with(R"("tags":[])"), ""},
               {with(R"("tags":["a","\u00e9"])"), ""},
               {with(R"("tags":[1])"), "tags"},
               {with(R"("tags":["a",null])"), "tags"},
               {with(R"("tags":"a")"), "tags"},
               {with(R"("tags":[)" + quoted(limits::kEnvelopeBytes) + "]"), "at most"},
               {with(R"("unique_for_ms":1)"), ""},
               {with(R"("unique_for_ms":)" + end_of_time), ""},
               {with(R"("unique_for_ms":)" + std::to_string(limits::kTimeMaxMs + 1)), "from 1 to"},
               {with(R"("unique_for_ms":0)"), "from 1 to"},
               {with(R"("unique_for_ms":-1)"), "from 1 to"},
               {with(R"("unique_for_ms":"1m")"), "unique_for_ms"},
               {with(R"("unique_for_ms":1,"unique_until":"start")"), ""},
               {with(R"("unique_for_ms":1,"unique_until":"success")"), ""},
               {with(R"("unique_for_ms":1,"unique_until":"end")"), "not \"end\""},
               {with(R"("unique_until":"success")"), "needs unique_for_ms"},
               {with(R"("traceparent":")" + trace + "\""), ""},
               {with(R"("traceparent":"")"), ""},
               {with(R"("traceparent":")" + trace.substr(1) + "\""), "traceparent"},
               {with(R"("traceparent":1)"), "traceparent"},
               {with(R"("webhook":"https://example.com/")"), ""},
               {with(R"("webhook":[])"), "\"webhook\" must be a string"},
               {with(R"("webhook":)" + quoted(limits::kWebhookUrlBytes)), ""},
               {with(R"("webhook":)" + quoted(limits::kWebhookUrlBytes + 1)), "webhook"},
               {with(R"("webhook":"a\nb")"), "without control characters"},
               {with(R"("durability":"fsync")"), ""},
               {with(R"("durability":"everysec")"), ""},
               {with(R"("durability":"memory")"), ""},
               {with(R"("durability":"disk")"), "one of fsync, everysec and memory"},
               {with(R"("durability":true)"), "durability"},
               {with(R"("again":false)"), ""},
               {with(R"("again":null)"), ""},
               {with(R"("again":true)"), "requires a jid"},
               {jid + R"(,"again":true})", ""},
               {jid + R"(,"again":false})", ""},
               {with(R"("again":1)"), "must be true or false"}},
              enqueue_error);
}

TEST_CASE("job wire: a JOBQ ENQUEUE becomes the job it describes") {
    const auto read = parse_enqueue(
        R"({"type":"t","jid":"12345678","tags": ["a","b"],"unique_for_ms":60000,)"
        R"("unique_until":"start","webhook":"https://example.com/","durability":"fsync",)"
        R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)"
        R"("max_attempts":7,"again":true})",
        kNow, "unused");
    REQUIRE(read);
    const Job& job = read->job;
    CHECK(job.jid == "12345678");
    CHECK(job.tags == R"(["a","b"])");
    REQUIRE(job.ties);
    CHECK(job.ties->lock_for_ms == 60'000);
    CHECK(job.ties->until_start);
    CHECK(job.webhook == "https://example.com/");
    CHECK(job.durability == Durability::fsync);
    CHECK(job.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    CHECK(job.max_attempts == 7);
    CHECK(job.reuse == Reuse::again);

    CHECK(parse_enqueue(R"({"type":"t"})", kNow, "12345678")->job.reuse == Reuse::never);
    CHECK(parse_enqueue(R"({"type":"t","tags":[]})", kNow, "12345678")->job.tags.empty());
    const auto maybe = parse_enqueue(R"({"type":"t","again":false})", kNow, "12345678");
    CHECK(maybe->job.may_be_known);
}

namespace {

// What a Faktory worker gets, of a job with `more` in its PUSH.
std::string out(const std::string& more, const JobRecord& record = {},
                std::string_view traceparent = {}) {
    return faktory_job(*parse_push(pushed(more), kNow), record, kNow, traceparent);
}

void holds(const std::string& json, const std::string& part) {
    INFO(json << "\nlacks\n" << part);
    CHECK(json.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("job wire: a job goes to a Faktory worker with Faktory's fields alone") {
    CHECK(out("") == R"({"retry":25,"jid":"12345678","queue":"default","jobtype":"t",)"
                     R"("created_at":"2026-11-22T00:00:00Z","enqueued_at":"2026-11-22T00:00:00Z",)"
                     R"("args":[],"reserve_for":1800})");

    struct Row {
        std::string in, out;
    };

    const std::vector<Row> rows{
        {R"("retry":0)", R"("retry":0,)"},
        {R"("retry":-1)", R"("retry":-1,)"},
        {R"("reserve_for":60)", R"("reserve_for":60})"},
        {R"("backtrace":10)", R"("backtrace":10})"},
        {R"("queue":"mail")", R"("queue":"mail")"},
        {R"("created_at":"2026-01-01T00:00:00.5Z")", R"("created_at":"2026-01-01T00:00:00.5Z")"},
        {R"("at":"2026-11-21T23:00:00Z")", R"("at":"2026-11-21T23:00:00Z")"},
        // Byte for byte but for line breaks, which end the message for some clients.
        {"\"args\": [1.50,\r\n \"\\u00e9\"]", "\"args\":[1.50,   \"\\u00e9\"]"},
        {"\"custom\":{\"a\":\n1}", "\"custom\":{\"a\": 1}"},
        {R"("custom":{})", R"("retry":25,"jid")"}};
    for (const auto& row : rows) {
        INFO(row.in);
        holds(out(row.in), row.out);
    }
    // Planned, not yet in its queue.
    CHECK(out(R"("at":"2026-11-23T00:00:00Z")").find("enqueued_at") == std::string::npos);
    // JOBQ ENQUEUE's attempts are Faktory's retries and one.
    const auto enqueued = parse_enqueue(
        R"({"type":"a\"b","max_attempts":4,"priority":9,"tags":["a"]})", kNow, "12345678");
    REQUIRE(enqueued);
    const std::string told = faktory_job(enqueued->job, {}, kNow);
    holds(told, R"({"retry":3,)");
    holds(told, R"("jobtype":"a\"b")");
    CHECK(told.find("tags") == std::string::npos);
}

TEST_CASE("job wire: a job that failed goes out with its last failure") {
    JobRecord record;
    record.attempts = 3;
    record.first_failed_ms = kNow;
    record.errors.resize(2);
    record.errors.back().message = "no \"luck\"";
    record.errors.back().error_type = "Bad";
    record.errors.back().backtrace = {"a.rb:1", "b.rb:2"};
    holds(out(R"("retry":5)", record),
          R"("failure":{"failed_at":"2026-11-22T00:00:00Z","message":"no \"luck\"",)"
          R"("errtype":"Bad","backtrace":["a.rb:1","b.rb:2"],"retry_count":2,"remaining":3})");
    // More attempts than it had retries.
    holds(out(R"("retry":1)", record), R"("remaining":0})");

    JobRecord pushed_with;
    pushed_with.failure = R"({"retry_count":9})";
    holds(out("", pushed_with), R"("failure":{"retry_count":9},)");
}

TEST_CASE("job wire: a trace goes out in custom, once") {
    const std::string own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const std::string other = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    holds(out("", {}, own), R"("custom":{"traceparent":")" + own + "\"}");
    holds(out(R"("custom":{"a":1})", {}, own), R"("custom":{"a":1,"traceparent":")" + own + "\"}");
    holds(out(R"("custom":{"traceparent":")" + other + R"(","a":1})", {}, own),
          R"("custom":{"a":1,"traceparent":")" + own + "\"}");
    holds(out(R"("custom":{"traceparent":")" + own + R"(","a":1})", {}, own),
          R"("custom":{"traceparent":")" + own + R"(","a":1})");
}

TEST_CASE("job wire: what MUTATE looks at is spelled as Go spells it") {
    const auto job = parse_push(
        pushed("\"args\":[ 1.50, \"<a> & \xE2\x80\xA8\" ],\"custom\":{\"b\":1,\"a\":2}"), kNow);
    REQUIRE(job);
    const std::string text = faktory_payload(*job, {}, kNow);
    holds(text, R"("args":[1.5,"\u003ca\u003e \u0026 \u2028"])");
    holds(text, R"("custom":{"a":2,"b":1})");
    CHECK(text.find("reserve_for") == std::string::npos);
}
