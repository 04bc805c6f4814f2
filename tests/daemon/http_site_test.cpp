// Which requests are for this HTTP server: names, origins, proxies and the path they are below.
#include <catch2/catch.hpp>

#include "core/config/config.h"
#include "daemon/http/guard.h"
#include "daemon/http/site.h"

using namespace jobq;

namespace {

HttpRequest request(std::string_view target, HttpFields headers, std::string peer = "127.0.0.1:9",
                    std::string method = "POST") {
    HttpRequest made;
    made.method = std::move(method);
    made.headers = std::move(headers);
    made.peer = std::move(peer);
    set_target(made, target);
    return made;
}

// 0: it may pass.
int refusal(const HttpRequest& made, const Site& site) {
    const Asked asked = read_asked(made, site);
    auto refused = guard_host(made, asked, site);
    if (!refused) refused = guard_origin(made, asked, site);
    return refused ? refused->status : 0;
}

}  // namespace

TEST_CASE("http site: an absolute target names the host itself") {
    struct Row {
        std::string target;
        std::optional<std::string> authority;
        std::string path, query;
    };

    const Row rows[] = {
        {"/a?b=1?2", std::nullopt, "/a", "b=1?2"},
        {"http://h:1/a?b=1", "h:1", "/a", "b=1"},
        {"HTTPS://h", "h", "/", ""},
        {"http://h?b", "h", "/", "b"},
        {"http://", "", "/", ""},
        {"*", std::nullopt, "*", ""},
        {"//h/a", std::nullopt, "//h/a", ""},
        {"/http://h/", std::nullopt, "/http://h/", ""},
    };
    for (const auto& row : rows) {
        INFO(row.target);
        const HttpRequest made = request(row.target, {});
        CHECK(made.authority == row.authority);
        CHECK(made.path == row.path);
        CHECK(made.query == row.query);
    }
    ListenConfig listen;
    const Site site{listen, "127.0.0.1"};
    CHECK(refusal(request("http://localhost:1/a", {{"Host", "evil.example"}}), site) == 0);
    CHECK(refusal(request("http://evil.example/a", {{"Host", "localhost"}}), site) == 421);
    CHECK(refusal(request("http://localhost@evil.example/a", {{"Host", "localhost"}}), site) ==
          421);
    CHECK(refusal(request("http://localhost/a",
                          {{"Host", "evil.example"}, {"Origin", "http://evil.example"}}),
                  site) == 403);
}

TEST_CASE("http site: who listens for other hosts is called by any address, not by any name") {
    ListenConfig listen;
    for (const std::string bound : {"0.0.0.0", "192.0.2.1", "::"}) {
        const Site site{listen, bound};
        for (const std::string host : {"10.1.2.3", "192.0.2.1:7420", "[2001:db8::1]:7420", "[::1]",
                                       "localhost", "127.0.0.1", "0.0.0.0"})
            CHECK(refusal(request("/", {{"Host", host}}), site) == 0);
        for (const std::string host : {"evil.example", "10.1.2.3.evil.example", "10.1.2", "0x7f.1",
                                       "2001:db8::1", "", "10.1.2.3:x", "a b"}) {
            INFO(host);
            CHECK(refusal(request("/", {{"Host", host}}), site) == 421);
        }
    }
    const Site own{listen, "127.0.0.1"};
    CHECK(refusal(request("/", {{"Host", "10.1.2.3"}}), own) == 421);
    CHECK(refusal(request("/", {{"Host", "jobs.example"}}), own) == 421);
    CHECK(refusal(request("/", {}), own) == 421);
    HttpRequest old = request("/", {});
    old.is_http_1_0 = true;
    CHECK(refusal(old, own) == 0);
    old.headers = {{"Host", "evil.example"}};
    CHECK(refusal(old, own) == 421);
}

TEST_CASE("http site: pages of a listed origin may change something, wherever they come through") {
    ListenConfig listen;
    listen.http_origins = " https://Jobs.Example  http://other.example:8080";
    const Site site{listen, "127.0.0.1"};
    auto post = [&](std::string origin, std::string host, std::string from = "same-origin") {
        return refusal(request("/a", {{"Host", std::move(host)},
                                      {"Origin", std::move(origin)},
                                      {"Sec-Fetch-Site", std::move(from)}}),
                       site);
    };
    for (const char* host : {"127.0.0.1:7420", "jobs.example", "localhost"})
        CHECK(post("https://jobs.example", host) == 0);
    CHECK(post("https://jobs.example:443", "localhost") == 0);
    CHECK(post("http://other.example:8080", "localhost", "cross-site") == 0);
    CHECK(post("http://jobs.example", "localhost") == 403);
    CHECK(post("https://jobs.example:8443", "localhost") == 403);
    CHECK(post("https://jobs.example.evil", "localhost") == 403);
    CHECK(post("https://evil.example", "localhost") == 403);
    CHECK(post("null", "localhost") == 403);
    CHECK(post("jobs.example", "localhost") == 403);
    // The port of a scheme may stand on one side alone.
    CHECK(post("http://jobs.example", "jobs.example:80") == 0);
    HttpRequest by_unix =
        request("/a", {{"Host", "localhost"}, {"Origin", "https://evil.example"}});
    by_unix.is_unix = true;
    CHECK(refusal(by_unix, site) == 403);
    by_unix.headers[1].second = "https://jobs.example";
    CHECK(refusal(by_unix, site) == 0);
    by_unix.headers.pop_back();
    CHECK(refusal(by_unix, site) == 0);
}

TEST_CASE("http site: only a named proxy says for whom it asks") {
    ListenConfig listen;
    listen.http_proxies = "192.0.2.0/24 127.0.0.1";
    listen.http_hosts = "jobs.example";
    const Site site{listen, "127.0.0.1"};
    const HttpFields said{{"Host", "backend"},
                          {"X-Forwarded-For", "203.0.113.9, 198.51.100.7, 192.0.2.3"},
                          {"X-Forwarded-Host", "jobs.example"},
                          {"X-Forwarded-Proto", "https"},
                          {"Origin", "https://jobs.example"}};
    const Asked asked = read_asked(request("/", said), site);
    CHECK(asked.by_proxy);
    CHECK(asked.peer == "198.51.100.7:0");
    CHECK(asked.host == "jobs.example");
    CHECK(refusal(request("/", said), site) == 0);
    const Asked direct = read_asked(request("/", said, "203.0.113.50:1"), site);
    CHECK_FALSE(direct.by_proxy);
    CHECK(direct.peer == "203.0.113.50:1");
    CHECK(direct.host == "backend");
    CHECK(refusal(request("/", said, "203.0.113.50:1"), site) == 421);

    auto with = [&](const std::string& name, const std::string& value) {
        HttpFields fields = said;
        for (auto& [key, old] : fields)
            if (key == name) old = value;
        return fields;
    };
    // What a page may have sent to the proxy stands before what the proxy adds.
    CHECK(refusal(request("/", with("X-Forwarded-Host", "jobs.example, evil.example")), site) ==
          421);
    CHECK(refusal(request("/", with("X-Forwarded-Proto", "http")), site) == 403);
    CHECK(refusal(request("/", with("Origin", "https://evil.example")), site) == 403);
    CHECK(read_asked(request("/", with("X-Forwarded-For", "junk")), site).peer == "127.0.0.1:9");
    CHECK(read_asked(request("/", with("X-Forwarded-For", "[2001:db8::1]:4711")), site).peer ==
          "[2001:db8::1]:0");
    CHECK(read_asked(request("/", with("X-Forwarded-For", "2001:db8::1")), site).peer ==
          "[2001:db8::1]:0");
    // All of them named as proxies: the nearest, as a client may have written those before it.
    CHECK(read_asked(request("/", with("X-Forwarded-For", "192.0.2.8, 192.0.2.9")), site).peer ==
          "192.0.2.9:0");

    HttpFields with_port = with("Origin", "https://jobs.example:8443");
    CHECK(refusal(request("/", with_port), site) == 403);
    with_port.emplace_back("X-Forwarded-Port", "8443");
    CHECK(refusal(request("/", with_port), site) == 0);

    HttpRequest by_unix = request("/", said, "");
    by_unix.is_unix = true;
    CHECK_FALSE(read_asked(by_unix, site).by_proxy);
    listen.http_proxies = "unix";
    CHECK(read_asked(by_unix, site).by_proxy);
    CHECK_FALSE(read_asked(request("/", said), site).by_proxy);
}

TEST_CASE("http site: the base path is taken off, or was") {
    for (const char* base : {"/jobq", "/jobq/"}) {
        ListenConfig listen;
        listen.http_base_path = base;
        const Site site{listen, "127.0.0.1"};
        CHECK(base_of(listen) == "/jobq");
        CHECK(path_here(request("/jobq/api/v1/jobs?a=1", {}), site) == "/api/v1/jobs");
        CHECK(path_here(request("/api/v1/jobs", {}), site) == "/api/v1/jobs");
        CHECK(path_here(request("/jobq/", {}), site) == "/");
        CHECK(path_here(request("/jobqueue", {}), site) == "/jobqueue");
        CHECK_FALSE(path_here(request("/jobq", {}), site));
    }
    ListenConfig listen;
    CHECK(path_here(request("/jobq", {}), Site{listen, ""}) == "/jobq");
    listen.http_base_path = "/";
    CHECK(base_of(listen).empty());
}
