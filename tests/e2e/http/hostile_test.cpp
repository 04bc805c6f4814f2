// What the HTTP API refuses, and what it survives.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/live/http_kit.h"

using namespace jobq::test;

namespace {

const std::string kJobs = "/api/v1/jobs";
const std::string kJob = R"({"type":"noop","delay_ms":600000})";

std::string code(const HttpAnswer& answer) {
    return std::to_string(answer.status) + " " +
           Json::parse(answer.body).at("code").get<std::string>();
}

std::string detail(const HttpAnswer& answer) {
    return Json::parse(answer.body).at("detail");
}

}  // namespace

TEST_CASE("http: what can't be meant is refused by name") {
    HttpDaemon daemon;

    struct Row {
        const char *method, *target, *body, *code, *word;
    };

    const Row rows[] = {
        {"GET", "/nothing", "", "404 NOT_FOUND", "openapi"},
        {"GET", "/api/v1/jobs/", "", "404 NOT_FOUND", ""},
        {"GET", "/api/v1/jobs/a/b/c", "", "404 NOT_FOUND", ""},
        {"GET", "/api/v1/jobs/unknown-1", "", "404 NOT_FOUND", "unknown-1"},
        {"GET", "/api/v1/jobs/%zz", "", "400 INVALID", "%"},
        {"GET", "/api/v1/jobs/%ff", "", "400 INVALID", "UTF-8"},
        {"GET", "/api/v1/jobs/a%00b", "", "400 INVALID", "%"},
        {"PUT", "/api/v1/jobs", "", "405 INVALID", "POST, GET, HEAD"},
        {"TRACE", "/healthz", "", "405 INVALID", "GET"},
        {"GET", "/api/v1/jobs?stat=ready", "", "400 INVALID", "\"stat\""},
        {"GET", "/api/v1/stats?a=1", "", "400 INVALID", "takes no parameters"},
        {"GET", "/api/v1/jobs?state=asleep", "", "400 INVALID", "the states are scheduled, "},
        {"GET", "/api/v1/jobs?state=", "", "400 INVALID", "state"},
        {"GET", "/api/v1/jobs?state=dead&state=ready", "", "400 INVALID", "twice"},
        {"GET", "/api/v1/jobs?limit=0", "", "400 INVALID", "1 to 500"},
        {"GET", "/api/v1/jobs?limit=1e3", "", "400 INVALID", "1 to 500"},
        {"GET", "/api/v1/jobs?limit=99999999999999999999", "", "400 INVALID", "1 to 500"},
        {"GET", "/api/v1/jobs?since=now", "", "400 INVALID", "since"},
        {"GET", "/api/v1/jobs?cursor=0", "", "400 INVALID", "cursor"},
        {"GET", "/api/v1/jobs?cursor=AAAAAAAAAAAAAAAA", "", "400 INVALID", "cursor"},
        {"GET", "/api/v1/jobs?cursor=%00", "", "400 INVALID", "%"},
        {"GET", "/api/v1/jobs/x/log?follow=yes", "", "400 INVALID", "true or false"},
        {"GET", "/api/v1/jobs/x/log?format=xml", "", "400 INVALID", "jsonl or text"},
        {"POST", "/api/v1/jobs", "{", "400 BAD_DATA", "line 1, column 2"},
        {"POST", "/api/v1/jobs", "{\n\"type\":\"a\",\n}", "400 BAD_DATA", "line 3, column 1"},
        {"POST", "/api/v1/jobs", "[]", "422 BAD_DATA", "object"},
        {"POST", "/api/v1/jobs", "{}", "422 INVALID", "type"},
        {"POST", "/api/v1/jobs", "{\"type\":1}", "422 BAD_DATA", "type"},
        {"POST", "/api/v1/jobs", "{\"type\":\"a\",\"que\":1}", "422 INVALID", "\"que\""},
        {"POST", "/api/v1/jobs", "{\"type\":\"a\",\"timeout\":\"soon\"}", "422 INVALID", "timeout"},
        {"POST", "/api/v1/jobs", "{\"type\":\"\xff\"}", "400 BAD_DATA", ""},
        {"POST", "/api/v1/jobs", "{\"type\":\"a\",\"priority\":99}", "422 INVALID", "priority 99"},
        {"POST", "/api/v1/operations", "[", "400 BAD_DATA", "line 1"},
        {"POST", "/api/v1/operations", "{}", "422 INVALID", ""},
        {"POST", "/api/v1/dead/retry", "{,}", "400 BAD_DATA", "line 1"},
        {"POST", "/api/v1/dead/retry", "{\"x\":1}", "422 INVALID", "\"x\""},
        {"POST", "/api/v1/jobs/x/retry", "{}", "400 INVALID", "no body"},
        {"GET", "/api/v1/stats", "{}", "400 INVALID", "no body"},
    };
    HttpClient client(daemon.port());
    for (const auto& row : rows) {
        INFO(row.method << " " << row.target << " " << row.body);
        const auto answer = client.ask(row.method, row.target, row.body);
        REQUIRE(answer.status != 0);
        INFO(answer.body);
        CHECK(answer.headers.at("content-type") == "application/problem+json");
        CHECK(code(answer) == row.code);
        CHECK(detail(answer).find(row.word) != std::string::npos);
    }
    CHECK(client.ask("PUT", kJobs).headers.at("allow") == "POST, GET, HEAD");
    CHECK(client.ask("OPTIONS", kJobs).headers.at("allow") == "POST, GET, HEAD");
    const std::string deep = "{\"type\":\"a\",\"payload\":" + std::string(200'000, '[') + "}";
    CHECK(client.ask("POST", kJobs, deep).status == 413);
    CHECK(daemon.count("total") == 0);
}

TEST_CASE("http: a cursor of another list is refused") {
    HttpDaemon daemon;
    for (int i = 0; i < 3; ++i)
        daemon.enqueue(kJob);
    const std::string list = kJobs + "?state=scheduled&limit=2";
    const std::string next = daemon.json("GET", list).at("next");
    CHECK(daemon.json("GET", list + "&cursor=" + next).at("jobs").size() == 1);
    CHECK(daemon.ask("GET", kJobs + "?state=dead&cursor=" + next).status == 400);
    CHECK(daemon.ask("GET", list + "&queue=q&cursor=" + next).status == 400);
    CHECK(daemon.ask("GET", list + "&cursor=" + next.substr(1)).status == 400);
}

TEST_CASE("http: a body of another type is refused") {
    HttpDaemon daemon;
    HttpClient client(daemon.port());
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                             "multipart/form-data; boundary=application/json"})
        CHECK(client.ask("POST", kJobs, kJob, {std::string("Content-Type: ") + type}).status ==
              415);
    CHECK(client.ask("POST", kJobs + ":bulk", kJob + "\n", {"Content-Type: application/json"})
              .status == 415);
    CHECK(
        client.ask("POST", kJobs, kJob, {"Content-Type: Application/JSON; charset=utf-8"}).status ==
        201);
}

TEST_CASE("http: probes and scrapes are answered by whatever name they come") {
    const std::string shut = "password_file = \"{dir}/s/password\"\n";
    auto prepare = [](const std::string& state) {
        std::filesystem::create_directories(state);
        std::ofstream(state + "/password") << "a-long-password";
        std::filesystem::permissions(state + "/password", std::filesystem::perms::owner_read);
    };
    HttpDaemon daemon(shut, prepare);
    HttpClient client(daemon.port());
    for (const char* host : {"10.1.2.3:7420", "evil.example", "a b", ""})
        for (const char* target : {"/healthz", "/readyz"}) {
            INFO(host << target);
            const std::vector<std::string> headers{std::string("Host: ") + host};
            CHECK(client.ask("GET", target, "", headers).status == 200);
            CHECK(client.ask("HEAD", target, "", headers).status == 200);
            CHECK(client.ask("POST", target, "", headers).status == 421);
        }
    CHECK(daemon.ask("GET", "/metrics", "", {"Host: 10.1.2.3"}).status == 421);
    CHECK(daemon.ask("GET", "/metrics").status == 401);

    HttpDaemon open(shut + "http_open_metrics = true\n", prepare);
    const auto figures = open.ask("GET", "/metrics", "", {"Host: 10.1.2.3"});
    CHECK(figures.status == 200);
    CHECK(figures.body.find("jobq_") != std::string::npos);
    CHECK(open.ask("GET", "/api/v1/stats").status == 401);
}

TEST_CASE("http: HTTP/1.0 needs no host, and an absolute target has its own") {
    HttpDaemon daemon;

    struct Row {
        std::string head;
        int status;
    };

    const Row rows[] = {
        {"GET /api/v1/ping HTTP/1.0\r\n\r\n", 200},
        {"GET /api/v1/ping HTTP/1.0\r\nHost: localhost\r\n\r\n", 200},
        {"GET /api/v1/ping HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421},
        {"GET /api/v1/ping HTTP/1.1\r\n\r\n", 400},
        {"GET http://localhost:7/api/v1/ping HTTP/1.1\r\nHost: localhost:7\r\n\r\n", 200},
        {"GET http://127.0.0.1/api/v1/ping?a=1 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET http://evil.example/api/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 421},
        {"GET http://127.0.0.1/healthz HTTP/1.0\r\n\r\n", 200},
        {"POST http://localhost/api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
             std::to_string(kJob.size()) + "\r\n\r\n" + kJob,
         201},
    };
    for (const auto& row : rows) {
        INFO(row.head);
        HttpClient client(daemon.port());
        client.send(row.head);
        CHECK(client.answer().status == row.status);
    }
    CHECK(daemon.count("total") == 1);
}

TEST_CASE("http: a compressed body is told from one that is no JSON") {
    HttpDaemon daemon;
    for (const std::string type : {"application/json", "application/jsonl"}) {
        const auto answer = daemon.ask("POST", type.ends_with('l') ? kJobs + ":bulk" : kJobs, kJob,
                                       {"Content-Type: " + type, "Content-Encoding: gzip"});
        CHECK(answer.status == 415);
        CHECK(answer.headers.at("accept-encoding") == "identity");
        CHECK(detail(answer).find("compressed") != std::string::npos);
    }
    CHECK(daemon
              .ask("POST", kJobs, kJob,
                   {"Content-Type: application/json", "Content-Encoding: Identity"})
              .status == 201);
}

TEST_CASE("http: pages of other sites can change nothing") {
    HttpDaemon daemon("http_hosts = \"jobs.example\"\n");
    HttpClient client(daemon.port());
    auto post = [&](std::vector<std::string> headers) {
        return client.ask("POST", kJobs, kJob, std::move(headers)).status;
    };
    CHECK(post({"Sec-Fetch-Site: cross-site"}) == 403);
    CHECK(post({"Sec-Fetch-Site: same-site"}) == 403);
    CHECK(post({"Origin: http://evil.example"}) == 403);
    CHECK(post({"Origin: null"}) == 403);
    CHECK(post({"Origin: http://localhost:1"}) == 403);
    CHECK(post({"Sec-Fetch-Site: same-origin", "Origin: http://localhost"}) == 201);
    CHECK(post({"Sec-Fetch-Site: none"}) == 201);
    for (const char* method : {"DELETE", "PUT", "PATCH"})
        CHECK(client.ask(method, kJobs + "/x", "", {"Sec-Fetch-Site: cross-site"}).status == 403);

    const auto read = client.ask("GET", "/api/v1/stats", "", {"Origin: http://evil.example"});
    CHECK(read.status == 200);
    for (const auto& [name, value] : read.headers)
        CHECK(name.find("access-control") == std::string::npos);
    CHECK(read.headers.at("x-content-type-options") == "nosniff");
    CHECK(read.headers.at("content-security-policy").find("default-src 'none'") == 0);

    for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                             "jobs.example.evil", "0.0.0.0", "[::2]", "localhost:x", "127.1", ""}) {
        INFO(host);
        CHECK(client.ask("GET", "/api/v1/ping", "", {std::string("Host: ") + host}).status == 421);
    }
    for (const char* host :
         {"localhost", "LOCALHOST:99", "127.0.0.1", "[::1]:80", "jobs.example", "Jobs.Example:443"})
        CHECK(client.ask("GET", "/api/v1/ping", "", {std::string("Host: ") + host}).status == 200);
    CHECK(client.ask("GET", "/readyz", "", {"Host: localhost", "Host: localhost"}).status == 400);
}

TEST_CASE(
    "http: requests that could be read in two ways are refused, and their connection closed") {
    HttpDaemon daemon;
    const std::string head =
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    const std::string length = "Content-Length: " + std::to_string(kJob.size()) + "\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    for (const std::string& framing :
         {length + chunked,
          chunked + length,
          length + "Content-Length: 3\r\n",
          length + length,
          chunked + chunked,
          std::string("Content-Length: +33\r\n"),
          std::string("Content-Length: 0x21\r\n"),
          std::string("Content-Length: 33, 33\r\n"),
          std::string("Content-Length: \r\n"),
          std::string("Content-Length: -1\r\n"),
          std::string("Content-Length: 99999999999999999999\r\n"),
          std::string("Transfer-Encoding: xchunked\r\n"),
          std::string("Transfer-Encoding: chunked, identity\r\n"),
          std::string("Transfer-Encoding: identity\r\n"),
          "Transfer-Encoding : chunked\r\n" + length,
          "X: a\r\n Transfer-Encoding: chunked\r\n" + length,
          "X: a\rTransfer-Encoding: chunked\r\n" + length,
          "X:\r\n Transfer-Encoding: chunked\r\n" + length,
          "Content-Length:\r\n " + std::to_string(kJob.size()) + "\r\nX: y\r\n",
          "A:\r\nB: \r\nContent-Length:\r\n " + std::to_string(kJob.size()) + "\r\n",
          "A:\r\nB:\r\nContent-Length:\r\n " + std::to_string(kJob.size()) + "\r\n",
          "X: a\n" + length,
          std::string("X: a\0b\r\n", 9) + length,
          std::string("X\0Y: a\r\n", 9) + length}) {
        INFO(framing);
        HttpClient client(daemon.port());
        client.send(head + framing + "\r\n" + kJob);
        CHECK(client.answer().status >= 400);
        CHECK(client.at_end());
    }
    for (const std::string& line :
         {std::string("GET /readyz\0x HTTP/1.1", 22), std::string("GET  /readyz HTTP/1.1")}) {
        HttpClient client(daemon.port());
        client.send(line + "\r\nHost: localhost\r\n\r\n");
        CHECK(client.answer().status >= 400);
        CHECK(client.at_end());
    }
    for (const std::string& headers :
         {std::string("Host:localhost\r\nX:y\r\n"), std::string("Host: localhost\r\nX:\r\nY: \r\n"),
          std::string("Host: localhost\r\nA:\r\nB:\r\nC:\r\n"),
          std::string("Host: localhost\r\n")}) {
        INFO(headers);
        HttpClient client(daemon.port());
        client.send("GET /readyz? HTTP/1.1\r\n" + headers + "\r\n");
        CHECK(client.answer().status == 200);
    }
    CHECK(daemon.count("total") == 0);
}

// How a line feed in a chunk's extension is read differs from one program to the next; whatever it
// made of a body, the rest is not taken for a request.
TEST_CASE("http: nothing behind a body in chunks is read as the next request") {
    HttpDaemon daemon;
    const std::string hidden =
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: " +
        std::to_string(kJob.size()) + "\r\n\r\n" + kJob;
    const std::string size = "21";  // hexadecimal, of kJob
    REQUIRE(std::stoul(size, nullptr, 16) == kJob.size());
    int stored = 0;
    for (const std::string& body :
         {size + "\r\n" + kJob + "\r\n0\r\n\r\n", size + ";a\n" + kJob + "\n0;b\n\n",
          size + ";a=\"\n\"\r\n" + kJob + "\r\n0\r\n\r\n", std::string("0;\n\r\n"),
          size + "\r\n" + kJob + "\r\n0\r\nX: y\n\r\n\r\n"}) {
        INFO(body);
        HttpClient client(daemon.port());
        client.send(
            "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n" +
            body + hidden);
        stored += client.answer().status == 201;
        CHECK(client.at_end());
    }
    CHECK(stored > 0);
    CHECK(daemon.count("total") == stored);
}

TEST_CASE("http: heads that are too big are refused") {
    HttpDaemon daemon;
    for (const std::string& bomb : {"X: " + std::string(100'000, 'a') + "\r\n",
                                    std::string("Cookie: ") + std::string(40'000, 'c') + "\r\n"}) {
        HttpClient client(daemon.port());
        client.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n" + bomb + "\r\n");
        CHECK(client.answer().status == 431);
        CHECK(client.at_end());
    }
    std::string many;
    for (int i = 0; i < 5'000; ++i)
        many += "X" + std::to_string(i) + ": 1\r\n";
    HttpClient client(daemon.port());
    client.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n" + many + "\r\n");
    CHECK(client.answer().status == 431);
    HttpClient target(daemon.port());
    target.send("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(target.answer().status == 414);
    CHECK(daemon.ask("GET", "/readyz").status == 200);
}

TEST_CASE("http: bodies that are too big are refused and not kept") {
    HttpDaemon daemon;
    HttpClient client(daemon.port());
    const std::string big = R"({"type":"a","payload":")" + std::string(1'100'000, 'x') + "\"}";
    CHECK(client.ask("POST", kJobs, big).status == 413);
    CHECK(client.ask("POST", kJobs, std::string(3'000'000, ' ')).status == 413);
    const std::string fits =
        R"({"type":"a","payload":")" + std::string(1'000'000, 'x') + R"(","delay_ms":600000})";
    CHECK(client.ask("POST", kJobs, fits).status == 201);
    CHECK(daemon.count("total") == 1);
}

TEST_CASE("http: garbage and TLS on the port disturb nobody") {
    HttpDaemon daemon;
    for (const std::string& bytes :
         {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
          std::string("\r\n\r\n\r\n"), std::string(1'000, '\0'), std::string("GET\r\n\r\n"),
          std::string("HELO x\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}) {
        HttpClient client(daemon.port());
        client.send(bytes);
        HttpClient other(daemon.port());
        CHECK(other.ask("GET", "/readyz").status == 200);
    }
}

TEST_CASE("http: 5,000 idle connections keep nobody out") {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    const rlimit wanted{6'000, files.rlim_max};
    if (files.rlim_max < wanted.rlim_cur) {
        WARN("not tried: this host allows a process " << files.rlim_max << " descriptors");
        return;
    }
    if (files.rlim_cur < wanted.rlim_cur) setrlimit(RLIMIT_NOFILE, &wanted);
    {
        HttpDaemon daemon;
        std::vector<std::unique_ptr<HttpClient>> idle;
        for (int i = 0; i < 5'000; ++i)
            idle.push_back(std::make_unique<HttpClient>(daemon.port()));
        CHECK(daemon.ask("POST", kJobs, kJob).status == 201);
        CHECK(daemon.must({"stats"}).size() > 0);
#ifndef JOBQ_SANITIZED  // which has a memory of its own
        const auto stats = daemon.json("GET", "/api/v1/stats");
        CHECK(stats.at("memory_bytes") < (120 << 20));
#endif
    }
    setrlimit(RLIMIT_NOFILE, &files);
}
