// The page at /, what it loads, and GET /api/v1/live that feeds it.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/live/http_kit.h"

namespace jobq::test {
namespace {

std::vector<std::string> targets_of(const std::string& page) {
    std::vector<std::string> targets;
    for (const std::string mark : {"href=\"", "src=\""})
        for (size_t at = 0; (at = page.find(mark, at)) != std::string::npos;) {
            at += mark.size();
            targets.push_back(page.substr(at, page.find('"', at) - at));
        }
    return targets;
}

void look(HttpClient& client) {
    REQUIRE(client.send("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const HttpAnswer head = client.answer(true);
    REQUIRE(head.status == 200);
    CHECK(head.headers.at("content-type") == "text/event-stream");
    const Sent history = next_event(client);
    CHECK(history.event == "history");
    CHECK(Json::parse(history.data).at("names").size() == 11);
}

}  // namespace

TEST_CASE("http: a browser finds a page, and all that it loads") {
    HttpDaemon daemon;
    const auto page = daemon.ask("GET", "/");
    REQUIRE(page.status == 200);
    CHECK(page.headers.at("content-type") == "text/html; charset=utf-8");
    const std::string& policy = page.headers.at("content-security-policy");
    CHECK(policy.find("default-src 'none'") != std::string::npos);
    CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(policy.find("unsafe") == std::string::npos);
    const auto targets = targets_of(page.body);
    CHECK(targets.size() == 4);
    for (const auto& target : targets) {
        INFO(target);
        // Found from below any path, as a proxy may have it.
        CHECK(!target.starts_with("/"));
        const auto plain = daemon.ask("GET", "/" + target);
        CHECK(plain.status == 200);
        CHECK(!plain.headers.contains("content-encoding"));
        if (!target.starts_with("assets/")) continue;  // built without the dashboard
        CHECK(plain.headers.at("cache-control") == "public, max-age=31536000, immutable");
        const auto packed =
            daemon.ask("GET", "/" + target, "", {"Accept-Encoding: br, gzip;q=0.8"});
        CHECK(packed.headers.at("content-encoding") == "gzip");
        CHECK(packed.body.starts_with("\x1f\x8b"));
        const auto refused = daemon.ask("GET", "/" + target, "", {"Accept-Encoding: gzip;q=0"});
        CHECK(refused.body == plain.body);
        const auto same =
            daemon.ask("GET", "/" + target, "", {"If-None-Match: " + plain.headers.at("etag")});
        CHECK(same.status == 304);
        CHECK(daemon.ask("HEAD", "/" + target).body.empty());
    }
    CHECK(daemon.ask("GET", "/assets/app-000000000000.js").status == 404);
    CHECK(daemon.ask("GET", "/assets/index.html").status == 404);
    CHECK(daemon.ask("GET", "/assets/..%2fapp.js").status == 404);
    CHECK(daemon.ask("POST", "/", "{}", {"Content-Type: application/json"}).status == 405);
}

TEST_CASE("http live: all who look are sent the same samples, and new ones come") {
    HttpDaemon daemon;
    HttpClient one(daemon.port()), other(daemon.port());
    look(one);
    look(other);
    daemon.enqueue(R"({"type":"noop"})");
    std::vector<std::string> seen[2];
    for (auto* client : {&one, &other})
        for (int i = 0; i < 4; ++i) {
            const Sent sent = next_event(*client);
            CHECK(sent.event == "sample");
            seen[client == &other].push_back(sent.data);
        }
    // They began up to a second apart.
    int shared = 0;
    for (const auto& data : seen[0])
        shared += std::count(seen[1].begin(), seen[1].end(), data) == 1;
    CHECK(shared >= 2);
    const Json last = Json::parse(seen[0].back());
    CHECK(last.at("totals").at("succeeded") == 1);
    CHECK(last.at("row").size() == 12);
    CHECK(last.at("pools").at(0).at("slots") > 0);
    CHECK(last.at("redis").at("state") == "ready");
}

TEST_CASE("http live: fifty who look cost Redis what one does") {
    HttpDaemon daemon;
    HttpClient first(daemon.port());
    look(first);
    const auto calls_of = [&] {
        return Json::parse(next_event(first).data).at("redis").at("calls");
    };
    const auto calls_in = [&](int samples) {
        const int64_t before = calls_of();
        for (int i = 1; i < samples; ++i)
            calls_of();
        return int64_t(calls_of()) - before;
    };
    calls_of();
    const int64_t alone = calls_in(4);
    std::vector<std::unique_ptr<HttpClient>> many;
    for (int i = 0; i < 50; ++i) {
        many.push_back(std::make_unique<HttpClient>(daemon.port()));
        look(*many.back());
    }
    calls_of();
    CHECK(calls_in(4) <= alone + 4);
}

TEST_CASE("http live: read-only lets everyone look and nobody change") {
    HttpDaemon daemon("http_read_only = true\n");
    HttpClient client(daemon.port());
    REQUIRE(client.send("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    REQUIRE(client.answer(true).status == 200);
    CHECK(Json::parse(next_event(client).data).at("read_only") == true);
    const auto refused = daemon.ask("POST", "/api/v1/jobs", R"({"type":"noop"})",
                                    {"Content-Type: application/json"});
    CHECK(refused.status == 403);
    CHECK(refused.body.find("http_read_only") != std::string::npos);
    CHECK(daemon.ask("DELETE", "/api/v1/jobs/x").status == 403);
    CHECK(daemon.ask("GET", "/api/v1/queues").status == 200);
}

TEST_CASE("http: a command of anybody's is not taken without a password") {
    HttpDaemon daemon("[run]\nallow = true\n");
    const std::string job = R"({"type":"run","payload":["id"]})";
    const auto refused =
        daemon.ask("POST", "/api/v1/jobs", job, {"Content-Type: application/json"});
    CHECK(refused.status == 403);
    CHECK(refused.body.find("jobq run") != std::string::npos);
    const auto bulk =
        daemon.ask("POST", "/api/v1/jobs:bulk", job + "\n", {"Content-Type: application/jsonl"});
    CHECK(bulk.body.find("FORBIDDEN") != std::string::npos);
    CHECK(daemon.json("GET", "/api/v1/stats").at("total") == 0);
}

#ifdef JOBQ_HAS_PROFILER

TEST_CASE("http profile: one at a time, and one whose client goes ends") {
    HttpDaemon daemon;
    const auto running = [&] {
        return access((daemon.state_dir() + "/profile.tmp").c_str(), F_OK) == 0;
    };
    {
        HttpClient client(daemon.port());
        REQUIRE(client.send(
            "GET /debug/pprof/profile?seconds=600 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        REQUIRE(eventually(running));
        const auto second = daemon.ask("GET", "/debug/pprof/profile?seconds=1");
        CHECK(second.status == 429);
        CHECK(second.body.find("another profile") != std::string::npos);
    }
    CHECK(eventually([&] { return !running(); }));
    const auto taken = daemon.ask("GET", "/debug/pprof/profile?seconds=1");
    CHECK(taken.status == 200);
    CHECK(taken.headers.at("content-type") == "application/octet-stream");
    CHECK(taken.body.find("nanoseconds") != std::string::npos);
    HttpClient client(daemon.port());
    REQUIRE(
        client.send("GET /debug/pprof/profile?seconds=600 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    REQUIRE(eventually(running));
    CHECK(daemon.stop() == 0);  // it does not wait ten minutes
    CHECK(client.answer().status == 503);
}

#endif

TEST_CASE("jobqd --dev serves HTTP, two at once too") {
    const std::vector<std::string> dev{"--dev"};
    LiveDaemon one("", dev), other("", dev);
    CHECK(http_port(one) != http_port(other));
    for (const LiveDaemon* daemon : {&one, &other}) {
        HttpClient client(http_port(*daemon));
        CHECK(client.ask("GET", "/readyz").status == 200);
    }
    LiveDaemon own("[listen]\nhttp = \"unix:{dir}/http.sock\"\n", dev);
    HttpClient client(own.dir() / "http.sock");
    CHECK(client.ask("GET", "/readyz").status == 200);
}

}  // namespace jobq::test
