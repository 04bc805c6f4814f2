// Collectors that are away, refuse, hang; what is sampled; and no collector at all.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/support/collector.h"
#include "tests/support/live/http_kit.h"
#include "tests/support/live/webhook_kit.h"
#include "tests/support/paths.h"

using namespace jobq;
using namespace jobq::test;

namespace {

const std::string kThread = "[pool.default]\nkind = \"thread\"\nslots = 4\n";

// A row of /metrics.
int64_t metric(const HttpDaemon& daemon, const std::string& name) {
    const std::string text = daemon.ask("GET", "/metrics").body;
    size_t at = text.find("\n" + name + " ");
    return at == text.npos ? -1 : int64_t(std::stod(text.substr(at + name.size() + 2)));
}

void run_jobs(const HttpDaemon& daemon, int count) {
    std::string lines;
    for (int i = 0; i < count; ++i)
        lines += "{}\n";
    daemon.must({"enqueue", "noop", "--jsonl", "-", "-q"}, lines);
    REQUIRE(eventually([&] { return daemon.unfinished() == 0; }, std::chrono::seconds(30)));
    CHECK(daemon.count("completed") == count);
}

}  // namespace

TEST_CASE("jobs do not notice a collector that is away, refuses or hangs, the loss is counted") {
    constexpr int kJobs = 3'000;  // three spans each
    std::unique_ptr<Collector> collector;
    std::string endpoint = "http://127.0.0.1:1";  // nobody listens there
    SECTION("away") {}
    SECTION("refuses for now") {
        collector = std::make_unique<Collector>([](const ReceivedRequest&) {
            return HttpReceiver::reply(503, "full", "Retry-After: 30\r\n");
        });
    }
    SECTION("hangs") {
        collector =
            std::make_unique<Collector>([](const ReceivedRequest&) { return std::string(); });
    }
    if (collector) endpoint = collector->endpoint();
    HttpDaemon daemon(kThread + "[trace]\nendpoint = \"" + endpoint + "\"\n");
    run_jobs(daemon, kJobs);
    const int64_t lost = metric(daemon, "jobq_trace_spans_dropped_total{reason=\"queue_full\"}");
    CHECK(lost >= 3 * kJobs - 2 * 512 - 2'048);
    CHECK(lost <= 3 * kJobs - 2'048);
    CHECK(metric(daemon, "jobq_trace_spans_exported_total") == 0);
    if (collector) CHECK(collector->receiver().most_open() == 1);
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(daemon.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(8));
    if (!contains(daemon.log(), "trace.not_sent")) CHECK(collector->receiver().count() > 0);
}

TEST_CASE("a collector that was away and comes back gets what still waits") {
    const ReservedPort reserved;
    const int port = reserved.port();
    HttpDaemon daemon(kThread + "[trace]\nendpoint = \"http://127.0.0.1:" + std::to_string(port) +
                      "\"\n");
    run_jobs(daemon, 400);
    REQUIRE(eventually([&] { return metric(daemon, "jobq_trace_export_failures_total") > 0; }));
    Collector collector([](const ReceivedRequest&) { return HttpReceiver::reply(200, "{}"); },
                        port);
    REQUIRE(eventually([&] { return metric(daemon, "jobq_trace_spans_exported_total") == 1'200; },
                       std::chrono::seconds(40)));
    check_links(collector.spans());
    CHECK(collector.spans().size() == 1'200);
}

TEST_CASE(
    "sample_ratio: none, all, or about so many of the traces that begin here, and whole ones") {
    auto traced = [](const std::string& ratio) {
        Collector collector;
        HttpDaemon daemon(kThread + collector.config("sample_ratio = " + ratio));
        run_jobs(daemon, 400);
        const std::string caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";
        daemon.must(
            {"enqueue", "noop", "--id", "sampled-by-caller", "--traceparent", caller + "1"});
        daemon.must(
            {"enqueue", "noop", "--id", "not-by-the-caller", "--traceparent", caller + "0"});
        daemon.must({"wait", "sampled-by-caller", "not-by-the-caller"});
        CHECK(daemon.stop() == 0);
        const auto spans = collector.spans();
        CHECK(spans_of(spans, "sampled-by-caller").size() == 3);
        CHECK(spans_of(spans, "not-by-the-caller").empty());
        std::map<std::string, int> traces;
        for (const auto& span : spans)
            ++traces[span.trace];
        for (const auto& [trace, count] : traces)
            CHECK(count == 3);
        return int(traces.size()) - 1;
    };
    CHECK(traced("0") == 0);
    CHECK(traced("1") == 400);
    CHECK(traced("0.5") == Approx(200).margin(60));
}

TEST_CASE("a reload turns traces on, sends them to another collector, turns them off") {
    Collector first, second;
    HttpDaemon daemon(kThread);
    auto turn = [&](const std::string& more) {
        daemon.write_config("[listen]\nhttp = \"127.0.0.1:0\"\n" + kThread + more);
        daemon.signal(SIGHUP);
    };
    auto reloads = [&](int count) {
        int found = 0;
        const std::string log = daemon.log();
        for (size_t at = log.find("config.reloaded"); at != log.npos;
             at = log.find("config.reloaded", at + 1))
            ++found;
        return found == count;
    };
    run_jobs(daemon, 1);
    turn(first.config());
    REQUIRE(eventually([&] { return contains(daemon.log(), "trace.on"); }));
    daemon.must({"enqueue", "noop", "--id", "to-the-first", "--wait"});
    turn(second.config());  // sends what waits to the first
    REQUIRE(eventually([&] { return first.receiver().count() == 1; }));
    REQUIRE(eventually([&] { return contains(daemon.log(), second.endpoint()); }));
    daemon.must({"enqueue", "noop", "--id", "to-the-second", "--wait"});
    turn("");
    REQUIRE(eventually([&] { return second.receiver().count() == 1; }));
    REQUIRE(eventually([&] { return reloads(3); }));
    turn("[trace]\nendpoint = \"" + first.endpoint() + "\"\nheaders_file = \"/nowhere\"\n");
    REQUIRE(eventually([&] { return contains(daemon.log(), "trace.headers_file"); }));
    CHECK(contains(daemon.log(), "config.kept"));
    daemon.must({"enqueue", "noop", "--id", "to-nobody", "--wait"});
    CHECK(daemon.stop() == 0);
    CHECK(spans_of(first.spans(), "to-the-first").size() == 3);
    CHECK(first.spans().size() == 3);
    CHECK(spans_of(second.spans(), "to-the-second").size() == 3);
    CHECK(second.spans().size() == 3);
}

TEST_CASE("headers of headers_file are sent, and stand nowhere else") {
    Collector collector;
    TempDir secrets;
    const std::string path = secrets.write(
        "headers", "# of the collector\nAuthorization: Bearer s3cret-token\nX-Org: 7\n");
    ::chmod(path.c_str(), 0600);
    HttpDaemon daemon(kThread + collector.config("headers_file = \"" + path + "\""));
    daemon.must({"enqueue", "noop", "--wait"});
    CHECK(daemon.stop() == 0);
    REQUIRE(collector.receiver().count() == 1);
    const auto request = collector.receiver().requests()[0];
    CHECK(request.headers.at("authorization") == "Bearer s3cret-token");
    CHECK(request.headers.at("x-org") == "7");
    CHECK(request.headers.at("user-agent").starts_with("jobqd/"));
    CHECK_FALSE(contains(daemon.log(), "s3cret"));
    CHECK_FALSE(contains(daemon.log(), "chmod"));
    CHECK_FALSE(contains(request.body, "s3cret"));
}

TEST_CASE("a headers_file that can't be meant stops the start, and says which line") {
    Collector collector;
    TempDir dir;
    const std::string path = dir.write("headers", "A: b\nno header\n");
    const std::string config =
        dir.write("jobqd.toml", collector.config("headers_file = \"" + path + "\""));
    CliCall call;
    call.program = kJobqdProgram;
    call.args = {"--check-config", "--config", config};
    auto ran = run_cli(call);
    CHECK(ran.status == 78);
    CHECK(ran.err == "trace.headers_file: line 2 of " + path + " is not of the form Name: value\n");
}

TEST_CASE("a collector with https is sent to when ca_file names its authority") {
    TempDir dir;
    TestAuthority authority(dir);
    Collector collector(authority.issue("collector"));
    HttpDaemon daemon(kThread + collector.config());
    run_jobs(daemon, 1);
    REQUIRE(eventually([&] { return metric(daemon, "jobq_trace_export_failures_total") > 0; }));
    CHECK(collector.receiver().count() == 0);
    daemon.write_config("[listen]\nhttp = \"127.0.0.1:0\"\n" + kThread +
                        collector.config("ca_file = \"" + authority.file() + "\""));
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.reloaded"); },
                       std::chrono::seconds(30)));
    daemon.must({"enqueue", "noop", "--id", "after-the-reload", "--wait"});
    CHECK(eventually([&] { return spans_of(collector.spans(), "after-the-reload").size() == 3; },
                     std::chrono::seconds(30)));
}

TEST_CASE("a ca_file that can't be meant stops the start") {
    TempDir dir;
    const std::string path = dir.write("ca.pem", "no certificate\n"), gone = dir / "gone.pem";
    Secrets secrets;
    for (const auto& [key, config] :
         {std::pair<std::string, std::string>{"trace",
                                              "[trace]\nendpoint = \"https://a.example\"\n"},
          {"webhook", "[webhook]\nallow = [\"a.example\"]\nsecret_file = \"" + secrets.dir.path() +
                          "/secrets\"\n"}})
        for (const auto& [file, text] :
             {std::pair<std::string, std::string>{path, "contains no PEM certificate"},
              {gone, "No such file"}}) {
            CliCall call;
            call.program = kJobqdProgram;
            call.args = {"--check-config", "--config",
                         dir.write("c.toml", config + "ca_file = \"" + file + "\"\n")};
            auto ran = run_cli(call);
            INFO(ran.err);
            CHECK(ran.status == 78);
            CHECK(contains(ran.err, key + ".ca_file: the CA file " + file));
            CHECK(contains(ran.err, text));
        }
}
