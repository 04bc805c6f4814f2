// GET /api/v1/events: server-sent events, what comes again after a break, and clients that go or
// never read.
#include <catch2/catch.hpp>

#include "tests/support/live/http_kit.h"

namespace jobq::test {
namespace {

void open_stream(HttpClient& client, const std::string& query, const std::string& last = "") {
    const std::string more = last.empty() ? "" : "Last-Event-ID: " + last + "\r\n";
    REQUIRE(client.send("GET /api/v1/events" + query + " HTTP/1.1\r\nHost: localhost\r\n" + more +
                        "\r\n"));
    const HttpAnswer head = client.answer(true);
    REQUIRE(head.status == 200);
    CHECK(head.headers.at("content-type") == "text/event-stream");
    CHECK(client.streamed_line() == "retry: 2000");
}

}  // namespace

TEST_CASE("http events: what happens is sent as it happens, and filtered") {
    HttpDaemon daemon;
    HttpClient all(daemon.port()), dead(daemon.port());
    open_stream(all, "");
    open_stream(dead, "?event=dead,retry&type=fail");
    const std::string good = daemon.enqueue(R"({"type":"echo","payload":1})");
    for (const char* name : {"enqueued", "started", "finished"}) {
        const Sent sent = next_event(all);
        CHECK(sent.event == name);
        CHECK(Json::parse(sent.data).at("jid") == good);
        CHECK(Json::parse(sent.data).at("event") == name);
    }
    const std::string bad = daemon.enqueue(R"({"type":"fail","payload":"no","max_attempts":1})");
    const Sent sent = next_event(dead);
    CHECK(sent.event == "dead");
    CHECK(Json::parse(sent.data).at("jid") == bad);
}

TEST_CASE("http events: a job that is cancelled while it waits is told with its type and queue") {
    HttpDaemon daemon;
    HttpClient wanted(daemon.port());
    open_stream(wanted, "?event=cancelled&type=noop&queue=other");
    const std::string jid = daemon.enqueue(R"({"type":"noop","queue":"other","delay_ms":3600000})");
    REQUIRE(daemon.ask("DELETE", "/api/v1/jobs/" + jid).status == 200);
    const Json told = Json::parse(next_event(wanted).data);
    CHECK(told.at("jid") == jid);
    CHECK(told.at("type") == "noop");
    CHECK(told.at("queue") == "other");
}

TEST_CASE("http events: who comes back with the last id goes on from there") {
    HttpDaemon daemon;
    std::string last;
    {
        HttpClient first(daemon.port());
        open_stream(first, "?event=enqueued");
        daemon.enqueue(R"({"type":"noop"})");
        last = next_event(first).id;
    }
    const std::string missed = daemon.enqueue(R"({"type":"noop"})");
    HttpClient again(daemon.port());
    open_stream(again, "?event=enqueued", last);
    CHECK(Json::parse(next_event(again).data).at("jid") == missed);

    SECTION("another run's id, or nonsense, is told as a gap") {
        for (const std::string id : {"0123456789ab-7", "nonsense", "-"}) {
            HttpClient lost(daemon.port());
            open_stream(lost, "?event=enqueued", id);
            CHECK(next_event(lost).event == "lost");
        }
    }
    SECTION("so is a restart") {
        daemon.kill();
        daemon.start();
        HttpClient lost(daemon.port());
        open_stream(lost, "?event=enqueued", last);
        CHECK(next_event(lost).event == "lost");
    }
}

TEST_CASE("http events: clients that never read cost little, and a stop does not wait for them") {
    HttpDaemon daemon;
    std::vector<std::unique_ptr<HttpClient>> deaf;
    for (int i = 0; i < 20; ++i) {
        deaf.push_back(std::make_unique<HttpClient>(daemon.port()));
        REQUIRE(deaf.back()->send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }
    std::string lines;
    for (int i = 0; i < 1'000; ++i)
        lines += R"({"type":"noop"})"
                 "\n";
    for (int i = 0; i < 20; ++i)
        REQUIRE(daemon.ask("POST", "/api/v1/jobs:bulk", lines, {"Content-Type: application/jsonl"})
                    .status == 200);
    CHECK(
        eventually([&] { return daemon.json("GET", "/api/v1/stats").at("completed") == 20'000; }));
#ifndef JOBQ_SANITIZED  // which has a memory of its own
    CHECK(daemon.json("GET", "/api/v1/stats").at("memory_bytes") < 150 << 20);
#endif
    const auto began = std::chrono::steady_clock::now();
    CHECK(daemon.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));  // not stop_timeout
}

}  // namespace jobq::test
