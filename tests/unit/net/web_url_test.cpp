// URLs and addresses of webhooks: each spelling that could mean another host to another reader is
// refused, and no address but public ones passes.
#include "core/net/web_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>

#include "core/config/check.h"
#include "core/net/public_address.h"

using namespace jobq;

namespace {

Result<> checked(const std::string& text) {
    sockaddr_storage storage{};
    auto* any = reinterpret_cast<sockaddr*>(&storage);
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1)
        any->sa_family = AF_INET;
    else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1)
        any->sa_family = AF_INET6;
    else
        FAIL(text << " is no address");
    return check_public(*any);
}

}  // namespace

TEST_CASE("web URLs: what can be meant in one way only is read") {
    struct Row {
        const char *url, *origin;
    };

    const Row rows[] = {
        {"https://hooks.example.com/a?b=c", "https://hooks.example.com"},
        {"HTTPS://Hooks.EXAMPLE.com", "https://hooks.example.com"},
        {"https://hooks.example.com:443/", "https://hooks.example.com"},
        {"https://hooks.example.com:8443/", "https://hooks.example.com:8443"},
        {"http://hooks.example.com:80/", "http://hooks.example.com"},
        {"http://hooks.example.com?x=@evil.example", "http://hooks.example.com"},
        {"https://hooks.example.com/@evil.example:1/", "https://hooks.example.com"},
        {"https://192.0.2.1/", "https://192.0.2.1"},
        {"https://[2001:DB8::0:1]:1/", "https://[2001:db8::1]:1"},
        {"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example"},
        {"https://localhost/", "https://localhost"},
        {"https://a.b-c.d9x/", "https://a.b-c.d9x"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.url);
        auto origin = parse_web_url(row.url);
        REQUIRE(origin);
        CHECK(origin->text() == row.origin);
    }
}

TEST_CASE("web URLs: spellings that hide a host are refused") {
    using namespace std::string_literals;
    const std::string urls[] = {
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "https:/hooks.example.com",
        "https:hooks.example.com",
        "https://",
        "https:///",
        "https://?x",
        "https://:443/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "javascript:alert(1)",
        "https+x://hooks.example.com/",
        " https://hooks.example.com/",
        "https://hooks.example.com /",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\t",
        "https://hooks.example.com/\r\nX-Evil: 1",
        "https://hooks.example.com/\nx",
        "https://hooks.example.com\0.evil.example/"s,
        "https://hooks.example.com/\0"s,
        "https://hooks.example.com/\x7f",
        "https://user@hooks.example.com/",
        "https://user:pw@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com:443@127.0.0.1/",
        "https://@hooks.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com\\.evil.example/",
        "https:\\\\hooks.example.com/",
        "https://hooks.example.com./",
        "https://hooks..example.com/",
        "https://.example.com/",
        "https://-a.example.com/",
        "https://a-.example.com/",
        "https://hooks_example.com/",
        "https://hooks%2eexample.com/",
        "https://%31%32%37.0.0.1/",
        "https://hooks.example.com%00/",
        "https://b\xC3\xBC"
        "cher.example/",
        "https://hooks.example\xE3\x80\x82"
        "com/",
        "https://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0.0.01/",
        "https://127.0.0.1./",
        "https://256.0.0.1/",
        "https://1.2.3.4.5/",
        "https://example.1/",
        "https://[::1/",
        "https://::1/",
        "https://[::1%25lo]/",
        "https://[::1%lo]/",
        "https://[fe80::1%eth0]/",
        "https://[::ffff:127.0.0.1].evil/",
        "https://[127.0.0.1]/",
        "https://[]/",
        "https://[v1.x]/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:+443/",
        "https://hooks.example.com:0443/",
        "https://hooks.example.com:4 43/",
        "https://hooks.example.com:/",
        "https://hooks.example.com:80:443/",
        "https://hooks.example.com#@evil.example/",
        "https://hooks.example.com/#x",
        "https://" + std::string(64, 'a') + ".example/",
        "https://hooks.example.com/" + std::string(2'048, 'x'),
    };
    for (const auto& url : urls) {
        CAPTURE(url);
        auto origin = parse_web_url(url);
        CHECK_FALSE(origin);
        if (!origin) CHECK(origin.error().code == ErrorCode::invalid);
    }
}

TEST_CASE("web URLs: only a listed origin is allowed, scheme and port included") {
    WebhookConfig config;
    config.allow = {"hooks.example.com", "Other.example:8443", "[2001:db8::1]"};
    config.allow_private = {"http://10.0.0.7:8080"};
    CHECK(check_webhook(config, "https://hooks.example.com/x"));
    CHECK(check_webhook(config, "https://other.example:8443/x"));
    CHECK(check_webhook(config, "https://[2001:DB8:0::1]/x"));
    auto intranet = check_webhook(config, "http://10.0.0.7:8080/x");
    REQUIRE(intranet);
    CHECK(intranet->may_be_private);
    CHECK_FALSE(check_webhook(config, "https://hooks.example.com/x")->may_be_private);
    for (const char* url :
         {"http://hooks.example.com/", "https://hooks.example.com:8443/", "https://other.example/",
          "https://a.hooks.example.com/", "https://hooks.example.com.evil.example/",
          "https://10.0.0.7:8080/", "http://10.0.0.7/", "https://evil.example/"}) {
        CAPTURE(url);
        auto refused = check_webhook(config, url);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == ErrorCode::forbidden);
    }
    CHECK_FALSE(check_webhook({}, "https://hooks.example.com/"));
}

TEST_CASE("web addresses: only public ones pass") {
    for (const char* text :
         {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
          "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111",
          "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860:4860::8888"}) {
        CAPTURE(text);
        CHECK(checked(text));
    }
    for (const char* text : {"0.0.0.0",
                             "0.1.2.3",
                             "10.0.0.1",
                             "10.255.255.255",
                             "100.64.0.1",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.255.254",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.0.0.1",
                             "192.0.2.1",
                             "192.88.99.1",
                             "192.168.0.1",
                             "198.18.0.1",
                             "198.19.255.255",
                             "198.51.100.1",
                             "203.0.113.1",
                             "224.0.0.1",
                             "239.255.255.255",
                             "240.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::127.0.0.1",
                             "::8.8.8.8",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::ffff:169.254.169.254",
                             "64:ff9b::7f00:1",
                             "64:ff9b::a00:1",
                             "64:ff9b:1::1",
                             "100::1",
                             "2001::1",
                             "2001:db8::1",
                             "2001:10::1",
                             "2002:7f00:1::",
                             "2002:808:808::",
                             "fc00::1",
                             "fd12:3456::1",
                             "fe80::1",
                             "fec0::1",
                             "ff02::1",
                             "ff0e::1",
                             "4000::1"}) {
        CAPTURE(text);
        auto refused = checked(text);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == ErrorCode::forbidden);
    }
    sockaddr local{};
    local.sa_family = AF_UNIX;
    CHECK_FALSE(check_public(local));
}
