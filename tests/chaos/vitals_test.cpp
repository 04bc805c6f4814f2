// The soak's measure of growth finds growth, and takes jobs that come and go for none.
#include "tests/chaos/vitals.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>

namespace jobq::chaos {
namespace {

std::string growth_of(const std::function<Vital(int)>& sample, int samples = 100) {
    Vitals vitals;
    for (int i = 0; i < samples; ++i)
        vitals.add("runner", sample(i));
    return vitals.growth();
}

}  // namespace

TEST_CASE("vitals: descriptors of running jobs are no growth, one left open by each is") {
    auto busy = [](int i) { return Vital{7, 8'000, 16 + i * 7 % 13, 0}; };
    CHECK(growth_of(busy) == "");
    auto leaks = [&](int i) {
        Vital one = busy(i);
        one.descriptors += i / 5;
        return one;
    };
    CHECK(growth_of(leaks).find("descriptors") != std::string::npos);
}

TEST_CASE("vitals: memory that grows is found, unless what is stored explains it") {
    auto grows = [](int i) { return Vital{7, 8'000 + i * 100, 20, 0}; };
    CHECK(growth_of(grows).find("KiB") != std::string::npos);
    auto stores = [&](int i) {
        Vital one = grows(i);
        one.may_grow_kib = i * 100;
        return one;
    };
    CHECK(growth_of(stores) == "");
    // In each life anew: seen even when restarts hide it over the whole run.
    auto restarts = [](int i) { return Vital{i / 50, 8'000 + i % 50 * 400, 20, 0}; };
    CHECK(growth_of([&](int i) { return restarts(i + 50); }).find("in one life") !=
          std::string::npos);
}

TEST_CASE("vitals: this process has some") {
    const Vital own = vital_of(getpid());
    CHECK(own.pid == getpid());
    CHECK(own.rss_kib > 1'000);
    CHECK(own.descriptors >= 3);
    CHECK(vital_of(0).pid == 0);
}

}  // namespace jobq::chaos
