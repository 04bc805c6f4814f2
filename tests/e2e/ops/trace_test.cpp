// Traces, from the caller's context to a collector that is none of ours.
#include <signal.h>

#include <catch2/catch.hpp>

#include "tests/support/collector.h"
#include "tests/support/http_client.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

using namespace jobq;
using namespace jobq::test;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kCaller = "00f067aa0ba902b7";
const std::string kContext = "00-" + kTrace + "-" + kCaller + "-01";
const std::string kThread = "[pool.default]\nkind = \"thread\"\nslots = 4\n";
const std::string kExec =
    "[pool.default]\nslots = 2\n"
    "[type.show]\nrun = [\"/bin/sh\", \"-c\", \"echo \\\"\\\\\\\"$JOBQ_TRACEPARENT\\\\\\\"\\\"\"]\n"
    "[type.parent]\nrun = [\"/bin/sh\", \"-c\", \"exec \\\"$JOBQ\\\" enqueue show -q\"]\n"
    "env = { JOBQ = \"" +
    std::string(kJobqProgram) +
    "\", JOBQ_URL = \"unix:{dir}/q.sock\" }\n"
    "[type.slow]\nrun = [\"/bin/sh\", \"-c\", \"while [ ! -e {dir}/go ]; do sleep 0.02; done; "
    "echo \\\"\\\\\\\"$JOBQ_TRACEPARENT\\\\\\\"\\\"\"]\n";

std::string enqueue(const LiveDaemon& daemon, std::vector<std::string> args) {
    args.insert(args.begin(), "enqueue");
    args.push_back("-q");
    std::string jid = daemon.must(args);
    while (!jid.empty() && jid.back() == '\n')
        jid.pop_back();
    return jid;
}

// enqueue, wait, run, each the parent of the next.
void check_chain(const std::vector<CollectedSpan>& spans, const std::string& queue = "default") {
    REQUIRE(spans.size() == 3);
    CHECK(spans[0].name == "enqueue " + queue);
    CHECK(spans[1].name == "wait " + queue);
    CHECK(spans[2].name == "run " + queue);
    CHECK(spans[0].kind == 4);
    CHECK(spans[1].kind == 1);
    CHECK(spans[2].kind == 5);
    CHECK(spans[1].parent == spans[0].id);
    CHECK(spans[2].parent == spans[1].id);
    CHECK(spans[1].end_us == spans[2].start_us);
    for (const auto& span : spans)
        CHECK(span.trace == spans[0].trace);
    check_links(spans);
}

std::string traceparent(const CollectedSpan& span) {
    return "00-" + span.trace + "-" + span.id + "-01";
}

}  // namespace

TEST_CASE("a job's trace is enqueue, wait and run, below the span of who enqueued it") {
    Collector collector;
    LiveDaemon daemon(kThread + collector.config());
    const std::string jid = enqueue(daemon, {"echo", "--traceparent", kContext, "--payload", "7"});
    daemon.must({"wait", jid});
    CHECK(daemon.log().find("trace_id=" + kTrace) != std::string::npos);
    REQUIRE(daemon.stop() == 0);
    const auto spans = spans_of(collector.spans(), jid);
    check_chain(spans);
    CHECK(collector.spans().size() == 3);
    CHECK(spans[0].trace == kTrace);
    CHECK(spans[0].parent == kCaller);
    CHECK(spans[0].flags == 0x301);  // sampled, the parent is another's
    CHECK(spans[1].flags == 0x101);
    for (const auto& span : spans) {
        CHECK(span.text("messaging.system") == "jobq");
        CHECK(span.text("messaging.destination.name") == "default");
        CHECK(span.text("jobq.job.type") == "echo");
        CHECK(span.status == 0);
    }
    CHECK(spans[0].text("messaging.operation.type") == "send");
    CHECK(spans[2].text("messaging.operation.type") == "process");
    CHECK(spans[2].text("jobq.outcome") == "success");
    CHECK(spans[2].text("jobq.job.state") == "succeeded");
    CHECK(spans[2].text("jobq.job.attempt") == "1");
    CHECK(spans[2].text("messaging.client.id") == "default");
    const auto resource = collector.resource();
    CHECK(resource.at("service.name") == "jobqd");
    CHECK(resource.at("service.instance.id").get<std::string>().size() == 16);
}

TEST_CASE("a job without a context begins a trace of its own, sent five seconds later at most") {
    Collector collector;
    LiveDaemon daemon(kThread + collector.config("service_name = \"mail jobs\""));
    const std::string jid = enqueue(daemon, {"noop"});
    REQUIRE(eventually([&] { return collector.receiver().count() > 0; }, std::chrono::seconds(12)));
    const auto spans = spans_of(collector.spans(), jid);
    check_chain(spans);
    CHECK(spans[0].parent.empty());
    CHECK(spans[0].flags == 0x101);
    CHECK(collector.resource().at("service.name") == "mail jobs");
}

TEST_CASE("each attempt has a wait and a run, one that failed says why") {
    Collector collector;
    LiveDaemon daemon(kThread + "[type.fail]\nbackoff = { base = \"60ms\", factor = 1 }\n" +
                      collector.config());
    const std::string jid = enqueue(
        daemon, {"fail", "--max-attempts", "2", "--payload", R"({"message":"no \"luck\""})"});
    daemon.jobq({"wait", jid});
    REQUIRE(daemon.stop() == 0);
    const auto spans = spans_of(collector.spans(), jid);
    check_links(spans);
    REQUIRE(spans.size() == 5);
    check_chain({spans[0], spans[1], spans[2]});
    CHECK(spans[3].name == "wait default");
    CHECK(spans[3].parent == spans[0].id);
    CHECK(spans[4].parent == spans[3].id);
    CHECK(spans[3].start_us >= spans[2].end_us);  // when the retry was due
    for (const auto* run : {&spans[2], &spans[4]}) {
        CHECK(run->status == 2);
        CHECK(run->text("jobq.outcome") == "failure");
        CHECK_FALSE(run->text("error.type").empty());
        REQUIRE(run->exceptions.size() == 1);
        CHECK(run->exceptions[0].at("exception.message") == run->status_message);
        CHECK(run->exceptions[0].at("exception.type") == run->text("error.type"));
    }
    CHECK(spans[2].text("jobq.job.state") == "retrying");
    CHECK(spans[4].text("jobq.job.state") == "dead");
    CHECK(spans[4].text("jobq.dead.reason") == "exhausted");
    CHECK(spans[2].text("jobq.job.attempt") == "1");
    CHECK(spans[4].text("jobq.job.attempt") == "2");
}

TEST_CASE("a delayed job's wait begins when it is due") {
    Collector collector;
    LiveDaemon daemon(kThread + collector.config());
    const std::string jid = enqueue(daemon, {"noop", "--in", "400ms"});
    daemon.must({"wait", jid});
    REQUIRE(daemon.stop() == 0);
    const auto spans = spans_of(collector.spans(), jid);
    check_chain(spans);
    CHECK(spans[1].start_us - spans[0].start_us >= 400'000);
    CHECK_FALSE(spans[0].text("jobq.job.run_at").empty());
}

TEST_CASE("what a job enqueues is in its trace, below its own run") {
    Collector collector;
    LiveDaemon daemon(kExec + collector.config());
    const std::string jid = enqueue(daemon, {"parent", "--traceparent", kContext});
    daemon.must({"wait", jid});
    REQUIRE(eventually([&] { return daemon.unfinished() == 0; }));
    REQUIRE(daemon.stop() == 0);
    const auto all = collector.spans();
    check_links(all);
    const auto parent = spans_of(all, jid);
    check_chain(parent);
    REQUIRE(all.size() == 6);
    std::string child_jid;
    for (const auto& span : all)
        if (span.text("jobq.job.type") == "show") child_jid = span.text("messaging.message.id");
    const auto below = spans_of(all, child_jid);
    check_chain(below);
    CHECK(below[0].parent == parent[2].id);
    CHECK(below[0].trace == kTrace);
}

TEST_CASE("a trace goes through restarts of jobqd while the job runs: its own, and after SIGKILL") {
    Collector collector;
    LiveDaemon daemon("[runner]\nkeep = true\n" + kExec + collector.config());
    const std::string jid = enqueue(daemon, {"slow", "--traceparent", kContext});
    REQUIRE(eventually([&] { return daemon.count("running") == 1; }));
    SECTION("SIGUSR2") {
        daemon.restart();
    }
    SECTION("SIGKILL") {
        // What was sent by then.
        REQUIRE(eventually([&] { return collector.receiver().count() == 1; },
                           std::chrono::seconds(12)));
        daemon.kill();
        daemon.start();
    }
    daemon.dir().write("go", "");
    daemon.must({"wait", jid});
    const auto told = nlohmann::json::parse(daemon.must({"result", jid}));
    REQUIRE(daemon.stop() == 0);
    const auto spans = spans_of(collector.spans(), jid);
    check_chain(spans);
    CHECK(spans[0].trace == kTrace);
    CHECK(told == traceparent(spans[2]));  // JOBQ_TRACEPARENT was the run's own
}
