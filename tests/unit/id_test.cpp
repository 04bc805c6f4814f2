// core/base/id: job ids sort as they were made and do not repeat.
#include "core/base/id.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/job/job.h"

using namespace jobq;

TEST_CASE("an id is 26 characters of Crockford base 32 with its time in front") {
    IdMaker maker(1);
    std::string id = maker.next(1'469'918'176'385);
    CHECK(id.size() == 26);
    CHECK(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == id.npos);
    CHECK(id.substr(0, 10) == "01ARYZ6S41");  // the time of ULID's own example
    CHECK(is_name(id));
}

TEST_CASE("ids of one maker sort as they were made, whatever the clock does") {
    IdMaker maker(2);
    std::string last;
    int64_t clock = 1'795'305'600'000;
    for (int i = 0; i < 20'000; ++i) {
        if (i % 100 == 0) clock += 7;
        if (i == 10'000) clock -= 3'600'000;  // stepped back by an hour
        std::string id = maker.next(clock);
        REQUIRE(id > last);
        last = id;
    }
}

TEST_CASE("ids of two makers differ in the same millisecond") {
    IdMaker a, b;
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
        ids.insert(a.next(5));
        ids.insert(b.next(5));
    }
    CHECK(ids.size() == 2000);
}

TEST_CASE("a time before the epoch makes an id too") {
    IdMaker maker(3);
    CHECK(maker.next(-5).substr(0, 10) == "0000000000");
}

TEST_CASE("the system gives other random numbers each time") {
    std::set<uint64_t> numbers;
    for (int i = 0; i < 100; ++i)
        numbers.insert(random_u64());
    CHECK(numbers.size() == 100);
}
