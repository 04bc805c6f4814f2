// HttpSender against real sockets: whatever the receiver does, the request ends in time, says what
// happened, and leaves nothing behind.
#include "daemon/loop/http_sender.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>

#include "tests/daemon/on_loop.h"
#include "tests/support/authority.h"
#include "tests/support/http_receiver.h"
#include "tests/support/poll.h"

using namespace jobq;
using namespace jobq::test;

namespace {

HttpPost post_to(std::string url, int64_t total_ms = 20'000) {
    HttpPost request;
    request.url = std::move(url);
    request.body = R"({"a":1})";
    request.headers = {"Content-Type: application/json", "X-One: two"};
    request.total_ms = total_ms;
    return request;
}

task<Result<HttpReply>> post_and_stop(HttpSender& sender, HttpPost request) {
    auto reply = co_await sender.post(std::move(request));
    co_await sender.stop();
    co_return reply;
}

Result<HttpReply> sent(HttpPost request) {
    UvReactor reactor;
    HttpSender sender(reactor);
    return on_loop(reactor, post_and_stop(sender, std::move(request)));
}

HttpReceiver::Answer always(std::string bytes) {
    return [bytes](const ReceivedRequest&) { return bytes; };
}

task<void> post_into(HttpSender& sender, HttpPost request, std::vector<Result<HttpReply>>& out) {
    auto reply = co_await sender.post(std::move(request));
    out.push_back(std::move(reply));
}

task<void> post_many(UvReactor& reactor, HttpSender& sender, std::string url, size_t count,
                     std::vector<Result<HttpReply>>& out) {
    for (size_t n = 0; n < count; ++n)
        spawn(post_into(sender, post_to(url), out));
    auto all = [&] { return out.size() == count; };
    co_await until(reactor, all);
    co_await sender.stop();
}

task<void> stop_when(UvReactor& reactor, HttpSender& sender, std::function<bool()> ready,
                     HttpPost request, std::vector<Result<HttpReply>>& out) {
    spawn(post_into(sender, std::move(request), out));
    co_await until(reactor, ready);
    co_await sender.stop();
    auto answered = [&] { return !out.empty(); };
    co_await until(reactor, answered);
    co_await post_into(sender, post_to("http://127.0.0.1:1/"), out);
}

std::string too_long_headers() {
    std::string headers;
    for (int n = 0; n < 700; ++n)
        headers += "X-Filler-" + std::to_string(n) + ": " + std::string(100, 'x') + "\r\n";
    return headers;
}

}  // namespace

TEST_CASE("HttpSender: what is sent arrives, and the answer is whole") {
    HttpReceiver receiver(always(HttpReceiver::reply(200, "thanks")));
    auto reply = sent(post_to(receiver.url("/hook?x=1")));
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->body == "thanks");
    CHECK_FALSE(reply->cut);
    auto requests = receiver.requests();
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].method == "POST");
    CHECK(requests[0].target == "/hook?x=1");
    CHECK(requests[0].body == R"({"a":1})");
    CHECK(requests[0].headers["content-type"] == "application/json");
    CHECK(requests[0].headers["x-one"] == "two");
    CHECK(requests[0].headers.count("expect") == 0);
    CHECK(requests[0].headers.count("cookie") == 0);
}

TEST_CASE("HttpSender: an error status is a reply, with its Retry-After") {
    HttpReceiver receiver(always(HttpReceiver::reply(503, "no", "Retry-After: 17\r\n")));
    auto reply = sent(post_to(receiver.url()));
    REQUIRE(reply);
    CHECK(reply->status == 503);
    CHECK(reply->retry_after_s == 17);
}

TEST_CASE("HttpSender: a redirect is not followed, whatever it names") {
    HttpReceiver other(always(HttpReceiver::reply(200)));
    for (int status : {301, 302, 303, 307, 308}) {
        HttpReceiver receiver(
            always(HttpReceiver::reply(status, "", "Location: " + other.url() + "\r\n")));
        auto reply = sent(post_to(receiver.url()));
        REQUIRE(reply);
        CHECK(reply->status == status);
    }
    CHECK(other.count() == 0);
}

TEST_CASE("HttpSender: a huge Retry-After is a long one, and a date counts too") {
    struct Row {
        const char* value;
        std::optional<int64_t> least;
    };

    const Row rows[] = {{"99999999999999999999999999", 86'400},
                        {"9223372036854775807", 86'400},
                        {"4294967297", 86'400},
                        {"Fri, 31 Dec 2099 23:59:59 GMT", 86'400},
                        {"0", 0},
                        {"-5", std::nullopt},
                        {"soon", std::nullopt}};
    for (const auto& row : rows) {
        INFO(row.value);
        HttpReceiver receiver(always(
            HttpReceiver::reply(429, "", "retry-AFTER: " + std::string(row.value) + "\r\n")));
        auto reply = sent(post_to(receiver.url()));
        REQUIRE(reply);
        CHECK(reply->status == 429);
        CHECK(reply->retry_after_s.has_value() == row.least.has_value());
        if (!row.least || !reply->retry_after_s) continue;
        CHECK(*reply->retry_after_s >= *row.least);
        CHECK(*reply->retry_after_s <= 365 * 86'400);
    }
}

TEST_CASE("HttpSender: an answer counts, whatever becomes of its body") {
    const std::string head = "HTTP/1.1 202 Taken\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    // Of a body without an end the rest is waited for until the deadline.
    for (const std::string& bytes :
         {head + "Content-Length: 100\r\n\r\nbegun", head + "Content-Length: 100\r\n\r\n",
          head + "Content-Length: -5\r\n\r\n", head + "Content-Length: many\r\n\r\nx",
          head + "Transfer-Encoding: strange\r\n\r\nx", chunked + "zz\r\nbody\r\n0\r\n\r\n",
          chunked + "5\r\nbe", chunked + "5\r\nbegun\r\n", chunked + "5begun",
          chunked + "ffffffffffffffffffff\r\n", head + "\r\n", head + "\r\nno end",
          "HTTP/1.1 103 Early Hints\r\nRetry-After: 3\r\n\r\n" + head + "\r\n"}) {
        INFO(bytes);
        HttpReceiver receiver(always(bytes));
        auto reply = sent(post_to(receiver.url(), 300));
        REQUIRE(reply);
        CHECK(reply->status == 202);
        CHECK_FALSE(reply->retry_after_s);
    }
}

TEST_CASE("HttpSender: slow headers end at the deadline") {
    auto answer = GENERATE(as<std::string>{}, "", "HTTP/1.1 200 OK\r\n",
                           "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n");
    HttpReceiver receiver(always(answer));
    auto reply = sent(post_to(receiver.url("/a-secret-path"), 300));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::timeout);
    CHECK_THAT(reply.error().text,
               Catch::Contains("http://127.0.0.1:" + std::to_string(receiver.port())));
    CHECK_THAT(reply.error().text, !Catch::Contains("a-secret-path"));
}

TEST_CASE("HttpSender: of a huge body only the beginning is read") {
    HttpReceiver receiver(always(HttpReceiver::reply(200, std::string(40 << 20, 'x'))));
    auto reply = sent(post_to(receiver.url()));
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->cut);
    CHECK(reply->body.size() == limits::kHttpSendReplyBytes);
    auto exact = post_to(receiver.url());
    exact.reply_bytes = 0;
    reply = sent(std::move(exact));
    REQUIRE(reply);
    CHECK(reply->body.empty());
}

TEST_CASE("HttpSender: endless headers are refused") {
    HttpReceiver receiver(always(HttpReceiver::reply(200, "", too_long_headers())));
    auto reply = sent(post_to(receiver.url()));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::too_large);
}

TEST_CASE("HttpSender: refused, reset, closed without an answer, no HTTP, unknown name") {
    HttpReceiver gone(always("x"));
    gone.stop();
    HttpReceiver resets(always("reset"));
    HttpReceiver talks(always("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    for (const std::string& url :
         {gone.url(), resets.url(), talks.url(), std::string("http://no-such-host.invalid/")}) {
        CAPTURE(url);
        auto reply = sent(post_to(url));
        REQUIRE_FALSE(reply);
        CHECK(reply.error().code == ErrorCode::unavailable);
        CHECK_THAT(reply.error().text, Catch::StartsWith("no answer from http://"));
    }
}

TEST_CASE("HttpSender: URLs and headers that can't be meant are refused before anything is sent") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    std::string port = std::to_string(receiver.port());
    for (const std::string& url :
         {std::string("ftp://127.0.0.1:" + port), std::string("file:///etc/passwd"),
          std::string("gopher://127.0.0.1:" + port + "/x"), std::string(""),
          "http://user:pass@127.0.0.1:" + port + "/", receiver.url("/a\r\nX-Evil: 1"),
          receiver.url(std::string("/nul\0x", 6)), receiver.url("/a b"),
          receiver.url("/" + std::string(3'000, 'x'))}) {
        CAPTURE(url);
        auto reply = sent(post_to(url));
        REQUIRE_FALSE(reply);
        CHECK(reply.error().code == ErrorCode::invalid);
    }
    auto request = post_to(receiver.url());
    request.headers.emplace_back("X-One: two\r\nX-Evil: 1");
    CHECK_FALSE(sent(std::move(request)));
    CHECK(receiver.count() == 0);
}

TEST_CASE("HttpSender: proxies of the environment are not used") {
    HttpReceiver proxy(always(HttpReceiver::reply(200, "proxy")));
    HttpReceiver receiver(always(HttpReceiver::reply(200, "direct")));
    for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"})
        ::setenv(name, proxy.url("").c_str(), 1);
    auto reply = sent(post_to(receiver.url()));
    for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"})
        ::unsetenv(name);
    REQUIRE(reply);
    CHECK(reply->body == "direct");
    CHECK(proxy.count() == 0);
}

TEST_CASE("HttpSender: a stop ends what is in flight at once, and refuses what comes later") {
    HttpReceiver receiver(always(""));
    UvReactor reactor;
    HttpSender sender(reactor);
    std::vector<Result<HttpReply>> out;
    auto arrived = [&] { return receiver.count() == 1; };
    on_loop(reactor, stop_when(reactor, sender, arrived, post_to(receiver.url(), 100'000), out),
            20'000);
    REQUIRE(out.size() == 2);
    for (const auto& reply : out) {
        REQUIRE_FALSE(reply);
        CHECK(reply.error().code == ErrorCode::cancelled);
    }
    CHECK(eventually([&] { return receiver.open() == 0; }));
}

TEST_CASE("HttpSender: a stop does not wait for a name that is being resolved") {
    UvReactor reactor;
    HttpSender sender(reactor);
    std::vector<Result<HttpReply>> out;
    auto begun = [&] { return sender.in_flight() == 1; };
    on_loop(reactor,
            stop_when(reactor, sender, begun, post_to("http://no-such-host.invalid/"), out));
    REQUIRE(out.size() == 2);
    CHECK(out[0].error().code == ErrorCode::cancelled);
}

TEST_CASE("HttpSender: 200 at once keep to the bound, and connections are used again") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    UvReactor reactor;
    HttpSender sender(reactor, 16);
    std::vector<Result<HttpReply>> out;
    on_loop(reactor, post_many(reactor, sender, receiver.url(), 200, out));
    REQUIRE(out.size() == 200);
    for (const auto& reply : out)
        CHECK(reply);
    CHECK(receiver.count() == 200);
    CHECK(receiver.most_open() <= 16 + 8);
}

TEST_CASE("HttpSender: whoever waits for a turn does so no longer than its deadline") {
    HttpReceiver receiver(always(""));
    UvReactor reactor;
    HttpSender sender(reactor, 1);
    std::vector<Result<HttpReply>> out;
    spawn(post_into(sender, post_to(receiver.url(), 10'000), out));
    auto reply = on_loop(reactor, sender.post(post_to(receiver.url(), 100)));
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::timeout);
    on_loop(reactor, sender.stop());
}

TEST_CASE("HttpSender: an address is checked after the name is known and before a connect") {
    HttpReceiver receiver(always(HttpReceiver::reply(200)));
    std::vector<std::string> seen;
    bool refuse = false;
    auto request = [&] {
        auto made = post_to("http://localhost:" + std::to_string(receiver.port()) + "/");
        made.address_check = [&](const sockaddr& address) -> Result<> {
            char text[INET6_ADDRSTRLEN] = "";
            const void* at = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
            if (address.sa_family == AF_INET6)
                at = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
            seen.emplace_back(inet_ntop(address.sa_family, at, text, sizeof text));
            if (refuse) return fail(ErrorCode::forbidden, "not this address");
            return {};
        };
        return made;
    };
    auto reply = sent(request());
    CHECK(reply);
    CHECK_FALSE(seen.empty());
    CHECK(seen.back() == "127.0.0.1");
    refuse = true;
    seen.clear();
    reply = sent(request());
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::forbidden);
    CHECK(reply.error().text == "not this address");
    CHECK(seen.size() == 1);
    CHECK(receiver.count() == 1);
}

TEST_CASE("HttpSender: https, to a certificate of a trusted authority and for this host alone") {
    TempDir dir;
    TestAuthority authority(dir), stranger(dir, "stranger");
    HttpReceiver receiver(always(HttpReceiver::reply(200, "ok")), 0, authority.issue("server"));
    HttpReceiver elsewhere(always(HttpReceiver::reply(200)), 0,
                           authority.issue("other", "dns_name = \"elsewhere.example\"\n"));
    auto request = post_to(receiver.url());
    request.ca_file = authority.file();
    auto reply = sent(request);
    REQUIRE(reply);
    CHECK(reply->body == "ok");
    CHECK(receiver.requests().at(0).body == request.body);
    auto refused = [&](const std::string& url, const std::string& ca_file) {
        auto wrong = post_to(url);
        wrong.ca_file = ca_file;
        auto answer = sent(wrong);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code == ErrorCode::unavailable);
        INFO(answer.error().text);
        CHECK(answer.error().text.starts_with("nothing was sent to https://127.0.0.1:"));
        CHECK(answer.error().text.ends_with("from an authority of the system or ca_file"));
    };
    refused(receiver.url(), "");  // the system does not know it
    refused(receiver.url(), stranger.file());
    refused(elsewhere.url(), authority.file());
    CHECK(receiver.count() == 1);
    CHECK(elsewhere.count() == 0);
}
