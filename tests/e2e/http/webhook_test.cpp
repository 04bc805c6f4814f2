// Webhooks, from the end of a job to a receiver that is none of ours.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/support/http_client.h"
#include "tests/support/live/tcp_client.h"
#include "tests/support/live/webhook_kit.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

using namespace jobq;
using namespace jobq::test;

namespace {

constexpr const char* kQuick = "backoff = { base = \"100ms\", factor = 3, jitter = 0 }\n";

HttpReceiver::Answer always(std::string bytes) {
    return [bytes](const ReceivedRequest&) { return bytes; };
}

std::string enqueue(const LiveDaemon& daemon, const std::string& type, const std::string& url,
                    std::vector<std::string> more = {}) {
    std::vector<std::string> args{"enqueue", type, "-q"};
    if (!url.empty()) args.insert(args.end(), {"--webhook", url});
    args.insert(args.end(), more.begin(), more.end());
    std::string jid = daemon.must(args);
    while (!jid.empty() && jid.back() == '\n')
        jid.pop_back();
    return jid;
}

nlohmann::json dead_of(const LiveDaemon& daemon) {
    return nlohmann::json::parse(daemon.must({"list", "--state", "dead", "--json"}));
}

}  // namespace

TEST_CASE("a job's end is told, signed so that another program can check it") {
    HttpReceiver receiver(always(HttpReceiver::reply(204)));
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port()));
    const std::string jid = enqueue(daemon, "echo", receiver.url("/told?x=1"),
                                    {"--payload", R"({"a":[1,"ü"]})", "--tag", "blue"});
    REQUIRE(eventually([&] { return receiver.count() == 1; }));
    const auto request = receiver.requests()[0];
    CHECK(request.method == "POST");
    CHECK(request.target == "/told?x=1");
    CHECK(request.headers.at("content-type") == "application/json");
    CHECK(request.headers.at("webhook-signature") == openssl_signature(request, kSecretText));
    const int64_t stamp = std::stoll(request.headers.at("webhook-timestamp"));
    CHECK(std::abs(stamp - int64_t(::time(nullptr))) < 60);
    const auto body = body_of(request);
    CHECK(body.at("event") == "succeeded");
    CHECK(body.at("jid") == jid);
    CHECK(body.at("delivery_id") == id_of(request));
    CHECK(body.at("type") == "echo");
    CHECK(body.at("queue") == "default");
    CHECK(body.at("outcome") == "success");
    CHECK(body.at("attempts") == 1);
    CHECK(body.at("result") == nlohmann::json::parse(R"({"a":[1,"ü"]})"));
    CHECK(body.at("tags") == nlohmann::json::array({"blue"}));
    CHECK(body.contains("created_at"));
    CHECK(body.contains("finished_at"));
    CHECK(eventually([&] { return daemon.states({id_of(request)})[0] == "succeeded"; }));
    // The news of a job has no news of its own.
    CHECK(receiver.count() == 1);
}

TEST_CASE("a type's webhook tells of its dead jobs, with the error") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    Secrets secrets;
    std::string toml = webhook_config(secrets.dir.path(), receiver.port());
    toml.replace(toml.find("[type.fail]\n"), 12,
                 "[type.fail]\nwebhook = \"" + receiver.url() + "\"\n");
    LiveDaemon daemon(toml);
    const std::string jid =
        enqueue(daemon, "fail", "", {"--max-attempts", "2", "--payload", R"({"message":"no"})"});
    REQUIRE(eventually([&] { return receiver.count() == 1; }));
    const auto body = body_of(receiver.requests()[0]);
    CHECK(body.at("event") == "dead");
    CHECK(body.at("reason") == "exhausted");
    CHECK(body.at("attempts") == 2);
    CHECK(body.at("jid") == jid);
    CHECK(body.at("error").at("message") == "no");
    CHECK_FALSE(body.contains("result"));
}

TEST_CASE("a webhook that is not allowed is refused when the job is enqueued") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    Secrets secrets;
    LiveDaemon daemon(
        "[listen]\ntcp = \"127.0.0.1:0\"\nhttp = \"unix:{dir}/http.sock\"\n" +
        webhook_config(secrets.dir.path(), receiver.port(), "allow = [\"hooks.example.com\"]"));
    const Ran other =
        daemon.jobq({"enqueue", "noop", "--webhook", "https://evil.example/a-secret"});
    CHECK(other.status == 77);
    CHECK_THAT(other.err, Catch::Contains("webhooks to https://evil.example are not allowed"));
    CHECK_THAT(other.err, !Catch::Contains("a-secret"));
    for (const std::string& url :
         {std::string("https://hooks.example.com:444/"), std::string("http://hooks.example.com/"),
          std::string("http://localhost:") + std::to_string(receiver.port())})
        CHECK(daemon.jobq({"enqueue", "noop", "--webhook", url}).status == 77);
    CHECK(daemon.jobq({"enqueue", "noop", "--webhook", "https://a@hooks.example.com/"}).status ==
          2);
    CHECK(daemon.jobq({"enqueue", "jobq.webhook"}).status == 77);
    CHECK(daemon.jobq({"enqueue", "noop", "--queue", "jobq.webhooks"}).status == 77);
    TcpClient client(tcp_port(daemon));
    CHECK(client.line().starts_with("+HI"));
    CHECK(client.hello("{\"v\":2}") == "+OK");
    client.send(
        "PUSH {\"jid\":\"12345678\",\"jobtype\":\"noop\",\"args\":[],"
        "\"custom\":{\"webhook\":\"https://evil.example/\"}}\r\n");
    CHECK_THAT(client.line(), Catch::StartsWith("-ERR") && Catch::Contains("are not allowed"));
    client.send("BATCH NEW {\"success\":{\"jobtype\":\"jobq.webhook\",\"queue\":\"q\"}}\r\n");
    CHECK_THAT(client.line(), Catch::Contains("is reserved for jobqd"));
    HttpClient http(daemon.dir() / "http.sock");
    const auto refused =
        http.ask("POST", "/api/v1/jobs", R"({"type":"noop","webhook":"https://evil.example/"})");
    CHECK(refused.status == 403);
    CHECK_THAT(refused.body, Catch::Contains("are not allowed"));
    CHECK(daemon.count("enqueued") <= 0);
    CHECK(receiver.count() == 0);
}

TEST_CASE("a delivery that fails comes again, later each time, with the same id") {
    std::atomic<int> left = 3;
    HttpReceiver receiver(
        [&](const ReceivedRequest&) { return HttpReceiver::reply(left-- > 0 ? 500 : 200); });
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port(), kQuick));
    enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return receiver.count() == 4; }, std::chrono::seconds(20)));
    const auto requests = receiver.requests();
    int64_t least = 100;
    for (size_t i = 1; i < requests.size(); ++i, least *= 3) {
        CHECK(id_of(requests[i]) == id_of(requests[0]));
        CHECK(requests[i].body == requests[0].body);
        CHECK(requests[i].at_ms - requests[i - 1].at_ms >= least);
    }
}

TEST_CASE("503 with Retry-After is heeded") {
    std::atomic<int> left = 1;
    HttpReceiver receiver([&](const ReceivedRequest&) {
        return left-- > 0 ? HttpReceiver::reply(503, "", "Retry-After: 2\r\n")
                          : HttpReceiver::reply(200);
    });
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port(), kQuick));
    enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return receiver.count() == 2; }, std::chrono::seconds(20)));
    CHECK(receiver.requests()[1].at_ms - receiver.requests()[0].at_ms >= 2'000);
}

TEST_CASE("410 and the last attempt make a delivery dead, and retry-dead brings it back") {
    std::atomic<int> status = 410;
    HttpReceiver other(always(HttpReceiver::reply(200)));
    HttpReceiver receiver([&](const ReceivedRequest&) {
        return HttpReceiver::reply(status, "because", "Location: " + other.url() + "\r\n");
    });
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port(),
                                     std::string("max_attempts = 2\n") + kQuick));
    enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return daemon.count("dead") == 1; }));
    CHECK(receiver.count() == 1);
    CHECK_THAT(dead_of(daemon).dump(), Catch::Contains("answered 410, so it accepts no more"));
    status = 302;
    daemon.must({"retry-dead", "--all", "--type", "jobq.webhook", "--yes"});
    REQUIRE(eventually([&] { return receiver.count() == 3 && daemon.count("dead") == 1; }));
    CHECK_THAT(dead_of(daemon).dump(), Catch::Contains("redirects are not followed"));
    CHECK(other.count() == 0);
    status = 200;
    daemon.must({"retry-dead", "--all", "--type", "jobq.webhook", "--yes"});
    CHECK(eventually([&] { return receiver.count() == 4 && daemon.count("dead") == 0; }));
}

TEST_CASE("jobqd is killed between a job's end and its delivery: it is told all the same") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port()));
    daemon.must({"queue", "pause", "jobq.webhooks"});
    const std::string jid = enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return daemon.states({jid})[0] == "succeeded"; }));
    daemon.kill();
    daemon.start();
    CHECK(receiver.count() == 0);
    daemon.must({"queue", "resume", "jobq.webhooks"});
    REQUIRE(eventually([&] { return receiver.count() == 1; }));
    CHECK(body_of(receiver.requests()[0]).at("jid") == jid);
}

TEST_CASE("a receiver that is down is told when it is up again") {
    const ReservedPort reserved;
    const int port = reserved.port();
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), port, kQuick));
    enqueue(daemon, "noop", "http://127.0.0.1:" + std::to_string(port) + "/x");
    REQUIRE(eventually([&] { return daemon.count("retrying") == 1; }));
    HttpReceiver second(always(HttpReceiver::reply(200)), port);
    CHECK(eventually([&] { return second.count() == 1; }, std::chrono::seconds(20)));
}

TEST_CASE("a receiver that never answers holds up nobody else") {
    HttpReceiver slow(always("")), quick(always(HttpReceiver::reply(200)));
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), quick.port(),
                                     "allow = [\"hooks.example.com\"]\ntimeout = \"2s\"\n"));
    std::string toml = webhook_config(secrets.dir.path(), quick.port(), "timeout = \"2s\"\n");
    const std::string own = "\"http://127.0.0.1:" + std::to_string(quick.port()) + "\"";
    toml.replace(toml.find(own), own.size(),
                 own + ", \"http://127.0.0.1:" + std::to_string(slow.port()) + "\"");
    daemon.write_config(toml);
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.reloaded"); }));
    std::string lines;
    for (int n = 0; n < 200; ++n)
        lines += "{\"type\":\"noop\",\"webhook\":\"" + slow.url() + "\"}\n";
    daemon.must({"enqueue", "--jsonl", "-"}, lines);
    REQUIRE(eventually([&] { return slow.count() >= 8; }));
    enqueue(daemon, "noop", quick.url());
    CHECK(eventually([&] { return quick.count() == 1; }));  // the slow ones take 50 s
    CHECK(slow.most_open() <= 8);
}

TEST_CASE("an address that is not public is refused, unless its host stands in allow_private") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    Secrets secrets;
    std::string toml = webhook_config(secrets.dir.path(), receiver.port(), "max_attempts = 1");
    toml.replace(toml.find("allow_private"), 13, "allow");
    LiveDaemon daemon(toml);
    enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return daemon.count("dead") == 1; }));
    CHECK_THAT(dead_of(daemon).dump(), Catch::Contains("the address 127.0.0.1 is loopback") &&
                                           Catch::Contains("allow_private"));
    CHECK(receiver.open() == 0);
}

TEST_CASE("secrets are replaced by a reload, with two of them both sign") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    Secrets secrets;
    LiveDaemon daemon(webhook_config(secrets.dir.path(), receiver.port()));
    secrets.write(std::string("# new first\n") + kOtherSecret + "\n" + kSecret);
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.reloaded"); }));
    enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return receiver.count() == 1; }));
    const auto request = receiver.requests()[0];
    CHECK(request.headers.at("webhook-signature") == openssl_signature(request, kOtherSecretText) +
                                                         " " +
                                                         openssl_signature(request, kSecretText));
    secrets.write("whsec_short");
    daemon.signal(SIGHUP);
    CHECK(eventually([&] { return contains(daemon.log(), "openssl rand -base64 32"); }));
    CHECK_FALSE(contains(daemon.log(), "whsec_short"));
}

TEST_CASE("a receiver with https is told once ca_file names its authority") {
    Secrets secrets;
    TestAuthority authority(secrets.dir);
    HttpReceiver receiver(always(HttpReceiver::reply(200)), 0, authority.issue("server"));
    const std::string config =
        "[pool.default]\nkind = \"thread\"\n[webhook]\nsecret_file = \"" + secrets.dir.path() +
        "/secrets\"\nallow_private = [\"127.0.0.1:" + std::to_string(receiver.port()) + "\"]\n";
    LiveDaemon daemon(config + kQuick);
    enqueue(daemon, "noop", receiver.url());
    // It is tried again all the time: not in the list at each look.
    REQUIRE(eventually([&] {
        return contains(daemon.must({"list", "--state", "retrying", "--json"}),
                        "from an authority of the system or ca_file");
    }));
    daemon.write_config(config + "ca_file = \"" + authority.file() + "\"\n" + kQuick);
    daemon.signal(SIGHUP);
    CHECK(eventually([&] { return receiver.count() == 1; }, std::chrono::seconds(30)));
}

TEST_CASE("the system's authorities are trusted by default, and not beside those of ca_file") {
    if (std::system("unshare -m true 2>/dev/null") != 0) {
        WARN("not tried: mounts can't be made here");
        return;
    }
    Secrets secrets;
    TestAuthority system(secrets.dir), stranger(secrets.dir, "stranger");
    HttpReceiver receiver(always(HttpReceiver::reply(200)), 0, system.issue("server"));
    const std::string config =
        "[pool.default]\nkind = \"thread\"\n[webhook]\nsecret_file = \"" + secrets.dir.path() +
        "/secrets\"\nallow_private = [\"127.0.0.1:" + std::to_string(receiver.port()) + "\"]\n";
    // The authorities of the system as this jobqd sees it: a bundle, and a file with its hash's
    // link.
    const std::string certs = secrets.dir / "certs";
    ::mkdir(certs.c_str(), 0700);
    for (const char* name : {"/ca-certificates.crt", "/own.pem"})
        std::ofstream(certs + name) << read_file(system.file());
    REQUIRE(std::system(("openssl rehash '" + certs + "' 2>/dev/null").c_str()) == 0);
    const std::string program =
        secrets.dir.write("jobqd", "#!/bin/sh\nexec unshare -m sh -c 'mount --bind " + certs +
                                       " /etc/ssl/certs && exec " + std::string(kJobqdProgram) +
                                       " \"$@\"' jobqd \"$@\"\n");
    ::chmod(program.c_str(), 0700);
    LiveDaemon daemon(config + kQuick);
    REQUIRE(daemon.stop() == 0);
    daemon.use_program(program);
    daemon.start();
    enqueue(daemon, "noop", receiver.url());
    REQUIRE(eventually([&] { return receiver.count() == 1; }));
    daemon.write_config(config + "ca_file = \"" + stranger.file() + "\"\n" + kQuick);
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.reloaded"); }));
    enqueue(daemon, "noop", receiver.url());
    CHECK(eventually([&] { return daemon.count("retrying") == 1; }));
    CHECK(receiver.count() == 1);
}

TEST_CASE("jobs that expire, are dropped, or are cancelled while they run are told of too") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    Secrets secrets;
    LiveDaemon daemon("[listen]\ntcp = \"127.0.0.1:0\"\n" +
                      webhook_config(secrets.dir.path(), receiver.port()));
    daemon.must({"queue", "pause", "default"});
    enqueue(daemon, "noop", receiver.url(), {"--expires", "1ms"});
    daemon.must({"queue", "resume", "default"});
    REQUIRE(eventually([&] { return receiver.count() == 1; }));
    CHECK(body_of(receiver.requests()[0]).at("event") == "expired");
    TcpClient client(tcp_port(daemon));
    client.line();
    CHECK(client.hello("{\"v\":2}") == "+OK");
    client.send(
        "PUSH {\"jid\":\"12345678\",\"jobtype\":\"fail\",\"args\":[],\"retry\":0,"
        "\"custom\":{\"webhook\":\"" +
        receiver.url() + "\"}}\r\n");
    CHECK(client.line() == "+OK");
    REQUIRE(eventually([&] { return receiver.count() == 2; }));
    CHECK(body_of(receiver.requests()[1]).at("event") == "dropped");
    const std::string jid = enqueue(daemon, "sleep", receiver.url(), {"--payload", "60"});
    REQUIRE(eventually([&] { return daemon.states({jid})[0] == "running"; }));
    daemon.must({"cancel", jid});
    REQUIRE(eventually([&] { return receiver.count() == 3; }));
    CHECK(body_of(receiver.requests()[2]).at("event") == "cancelled");
}
