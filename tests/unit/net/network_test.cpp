// Networks, as a list of trusted proxies names them.
#include "core/net/network.h"

#include <catch2/catch.hpp>

using namespace jobq;

TEST_CASE("network: which addresses one has") {
    struct Row {
        std::string network, address;
        bool in;
    };

    const Row rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"10.0.0.0/8", "10.255.1.2", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.2.3/8", "10.9.9.9", true},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.7/32", "192.0.2.7", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"0.0.0.0/0", "::ffff:203.0.113.9", true},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"::1", "::1", true},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe80::1", false},
        {"fe80::/10", "fe80::1%eth0", true},
        {"::/0", "::1", true},
        {"10.0.0.0/8", "10.0.0.1.example", false},
        {"10.0.0.0/8", "", false},
    };
    for (const auto& row : rows) {
        INFO(row.network << " " << row.address);
        const auto network = parse_network(row.network);
        REQUIRE(network);
        CHECK(network->contains(row.address) == row.in);
        CHECK(lists_address("unix  198.51.100.1 nonsense " + row.network, row.address) == row.in);
    }
    CHECK_FALSE(lists_address("", "127.0.0.1"));
}

TEST_CASE("network: what can't be meant is refused") {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8",
                             "10.0.0.0/+8", "10.0.0/8", "localhost", "::1/129", "[::1]",
                             "1.2.3.4:5", "fe80::1%eth0", "10.0.0.0/0008", " 10.0.0.1"}) {
        INFO(text);
        const auto network = parse_network(text);
        REQUIRE_FALSE(network);
        CHECK(network.error().code == ErrorCode::invalid);
    }
}
