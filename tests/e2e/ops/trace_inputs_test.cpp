// Where a job's trace comes from and goes to: HTTP, Faktory, the CLI, bulk lines, webhooks; and
// what is not a context.
#include <catch2/catch.hpp>

#include "tests/support/collector.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/http_kit.h"
#include "tests/support/live/webhook_kit.h"

using namespace jobq;
using namespace jobq::test;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kContext = "00-" + kTrace + "-00f067aa0ba902b7-01";
const std::string kShow =
    "[pool.default]\nslots = 2\n"
    "[type.show]\nrun = [\"/bin/sh\", \"-c\", \"echo "
    "\\\"\\\\\\\"$JOBQ_TRACEPARENT\\\\\\\"\\\"\"]\n";

// What the job was told of its trace.
std::string told(const LiveDaemon& daemon, const std::string& jid) {
    daemon.must({"wait", jid});
    return Json::parse(daemon.must({"result", jid})).get<std::string>();
}

std::string one_line(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

}  // namespace

TEST_CASE("without a collector a job is told the context it came with, and no other") {
    HttpDaemon daemon(kShow);
    auto by_http = [&](const std::string& body, const std::vector<std::string>& headers) {
        auto answer = daemon.ask("POST", "/api/v1/jobs", body, headers);
        REQUIRE(answer.status == 201);
        return told(daemon, Json::parse(answer.body).at("job_id"));
    };
    const std::string job = R"({"type":"show"})";
    CHECK(by_http(job, {}) == "");
    CHECK(by_http(job, {"traceparent: " + kContext}) == kContext);
    CHECK(by_http(job, {"Traceparent: " + kContext, "tracestate: a=b"}) == kContext);
    CHECK(by_http(job, {"traceparent: cc-" + kTrace + "-00f067aa0ba902b7-01-more"}) == kContext);
    CHECK(by_http(R"({"type":"show","traceparent":")" + kContext + "\"}", {}) == kContext);
    // A header that can't be read is no reason to refuse a job; two say nothing, the body wins.
    CHECK(by_http(job, {"traceparent: 00-" + kTrace + "-0-01"}) == "");
    CHECK(by_http(job, {"traceparent: " + kContext, "traceparent: " + kContext}) == "");
    CHECK(by_http(R"({"type":"show","traceparent":")" + kContext + "\"}",
                  {"traceparent: 00-" + kTrace + "-1111111111111111-01"}) == kContext);
    // A member of the body was written by somebody.
    auto refused = daemon.ask("POST", "/api/v1/jobs", R"({"type":"show","traceparent":"00-1"})");
    CHECK(refused.status == 422);
    CHECK(contains(refused.body, "too short"));
}

TEST_CASE("lines of a bulk take the context of their request, and their own before it") {
    HttpDaemon daemon(kShow);
    const std::string own = "00-" + kTrace + "-1111111111111111-00";
    auto answer = daemon.ask("POST", "/api/v1/jobs:bulk",
                             "{\"type\":\"show\",\"jid\":\"line-one\"}\n"
                             "{\"type\":\"show\",\"jid\":\"line-two\",\"traceparent\":\"" +
                                 own +
                                 "\"}\n"
                                 "{\"type\":\"show\",\"traceparent\":\"x\"}\n",
                             {"Content-Type: application/jsonl", "traceparent: " + kContext});
    REQUIRE(answer.status == 200);
    CHECK(contains(answer.body, "{\"line\":3,\"code\":\"INVALID\""));
    CHECK(told(daemon, "line-one") == kContext);
    CHECK(told(daemon, "line-two") == own);
}

TEST_CASE("jobq enqueue takes a context from its option, TRACEPARENT, or the job it runs in") {
    LiveDaemon daemon(kShow);
    const std::string outer = "00-" + kTrace + "-1111111111111111-01";
    auto enqueue = [&](std::vector<std::string> more, std::map<std::string, std::string> env) {
        auto call = daemon.call({"enqueue", "show", "-q"});
        call.args.insert(call.args.end(), more.begin(), more.end());
        call.env.merge(env);
        auto ran = run_cli(call);
        REQUIRE(ran.status == 0);
        return told(daemon, one_line(ran.out));
    };
    CHECK(enqueue({}, {}) == "");
    CHECK(enqueue({"--traceparent", kContext}, {{"TRACEPARENT", outer}}) == kContext);
    CHECK(enqueue({}, {{"TRACEPARENT", kContext}, {"JOBQ_TRACEPARENT", outer}}) == kContext);
    CHECK(enqueue({}, {{"TRACEPARENT", "junk"}, {"JOBQ_TRACEPARENT", kContext}}) == kContext);
    CHECK(enqueue({}, {{"JOBQ_TRACEPARENT", ""}}) == "");
    auto bulk = daemon.call({"enqueue", "--jsonl", "-", "-q"});
    bulk.env["JOBQ_TRACEPARENT"] = kContext;
    bulk.no_input = false;
    bulk.input = "{\"type\":\"show\"}\n";
    CHECK(told(daemon, one_line(run_cli(bulk).out)) == kContext);
    auto wrong = daemon.jobq({"enqueue", "show", "--traceparent", "00-A"});
    CHECK(wrong.status == 2);
    CHECK(contains(wrong.err, "--traceparent: traceparent \"00-A\" is not a W3C trace context"));
}

TEST_CASE("a Faktory client's custom.traceparent is kept, and its worker gets that of the run") {
    Collector collector;
    FaktoryServer server(collector.config());
    const std::string custom = ",\"custom\":{\"a\":[1, 2],\"traceparent\":\"" + kContext + "\"}";
    auto client = server.client();
    CHECK(client.ask("PUSH " + job_of("traced-job", "tq", custom)) == "+OK");
    CHECK(client.ask("PUSH " + job_of("plain-job-1", "tq")) == "+OK");
    CHECK(client.ask("PUSH " + job_of("wrong-job-1", "tq", ",\"custom\":{\"traceparent\":7}")) ==
          "+OK");
    auto worker = server.worker("w-trace");
    std::map<std::string, nlohmann::json> jobs;
    for (int i = 0; i < 3; ++i) {
        auto job = worker.ask_json("FETCH tq");
        jobs[job.at("jid")] = job.at("custom");
    }
    CHECK(worker.ask(R"(ACK {"jid":"traced-job"})") == "+OK");
    CHECK(worker.ask(R"(ACK {"jid":"plain-job-1"})") == "+OK");
    CHECK(worker.ask(R"(FAIL {"jid":"wrong-job-1","errtype":"E","message":"m"})") == "+OK");
    REQUIRE(server.daemon.stop() == 0);
    const auto all = collector.spans();
    check_links(all);
    for (const auto& [jid, given] : jobs) {
        CAPTURE(jid);
        const auto spans = spans_of(all, jid);
        REQUIRE(spans.size() == 3);
        CHECK(given.at("traceparent") == "00-" + spans[0].trace + "-" + spans[2].id + "-01");
        CHECK(spans[2].text("messaging.client.id") == "w-trace");
        CHECK(spans[2].status == (jid == "wrong-job-1" ? 2 : 0));
    }
    CHECK(spans_of(all, "traced-job")[0].trace == kTrace);
    CHECK(jobs["traced-job"].at("a") == nlohmann::json::parse("[1,2]"));
    CHECK(jobs["traced-job"].size() == 2);
}

TEST_CASE("without a collector Faktory's custom comes back as it went, a context of jobq's in it") {
    FaktoryServer server;
    auto client = server.client();
    const std::string custom = ",\"custom\":{\"traceparent\":\"" + kContext + "\",\"b\":1}";
    CHECK(client.ask("PUSH " + job_of("same-job-1", "uq", custom)) == "+OK");
    server.daemon.must({"enqueue", "T", "--queue", "uq", "--traceparent", kContext});
    server.daemon.must({"enqueue", "T", "--queue", "uq"});
    auto worker = server.worker("w-same");
    CHECK(contains(worker.ask("FETCH uq"), custom.substr(1)));
    CHECK(worker.ask_json("FETCH uq").at("custom") == nlohmann::json{{"traceparent", kContext}});
    CHECK_FALSE(worker.ask_json("FETCH uq").contains("custom"));
}

TEST_CASE("the delivery of a webhook is in the trace of the attempt it tells of") {
    HttpReceiver receiver([](const ReceivedRequest&) { return HttpReceiver::reply(204); });
    Collector collector;
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port()) + collector.config());
    const std::string jid = one_line(daemon.must(
        {"enqueue", "noop", "-q", "--traceparent", kContext, "--webhook", receiver.url()}));
    REQUIRE(eventually([&] { return receiver.count() == 1 && daemon.unfinished() == 0; }));
    REQUIRE(daemon.stop() == 0);
    const auto all = collector.spans();
    REQUIRE(all.size() == 6);
    check_links(all);
    const auto job = spans_of(all, jid);
    for (const auto& span : all) {
        CHECK(span.trace == kTrace);
        if (span.name == "enqueue jobq.webhooks") CHECK(span.parent == job[2].id);
    }
}
