// What a soak calls growth, and what is none.
#include "tests/chaos/vitals.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

constexpr int64_t kMiB = 1024;  // in KiB

// 40 samples; each has what `kib` and `descriptors` say of its number.
Vitals vitals(int64_t (*kib)(int), int64_t (*descriptors)(int), int64_t (*may_grow)(int)) {
    Vitals all;
    for (int i = 0; i < 40; ++i)
        all.add("it", {7, kib(i), descriptors(i), may_grow(i)});
    return all;
}

int64_t ten(int) {
    return 10 * kMiB;
}

int64_t none(int) {
    return 0;
}

// Beside those of jobs that run.
int64_t ups_and_downs(int i) {
    return 12 + i * 7 % 20;
}

}  // namespace

TEST_CASE("memory and descriptors that go up and down do not grow") {
    CHECK(vitals(ten, ups_and_downs, none).growth().empty());
    const auto noisy = [](int i) { return (10 + i % 3) * kMiB; };
    CHECK(vitals(noisy, ups_and_downs, none).growth().empty());
}

TEST_CASE("memory grows by 200 KiB a sample, unless there is a reason") {
    const auto grows = [](int i) { return 10 * kMiB + i * 200; };
    CHECK(vitals(grows, ups_and_downs, none).growth().starts_with("it: from "));
    CHECK(vitals(grows, ups_and_downs, [](int i) { return int64_t(i) * 200; }).growth().empty());
}

TEST_CASE("a descriptor is lost in two samples") {
    const auto lost = [](int i) { return ups_and_downs(i) + i / 2; };
    const std::string growth = vitals(ten, lost, none).growth();
    CHECK(growth.find("descriptors") != growth.npos);
}

TEST_CASE("a new process begins anew") {
    Vitals all;
    for (int i = 0; i < 80; ++i)
        all.add("it", {1 + i / 10, 10 * kMiB + i % 10 * 500, 12 + i % 10, 0});
    CHECK(all.growth().empty());
    CHECK(all.told().at("it").at("lives") == 8);
    CHECK(all.told().at("it").at("longest_life") == 10);
}

TEST_CASE("at rest a process has no more descriptors than it ever needed") {
    const Vitals all = vitals(ten, ups_and_downs, none);
    CHECK(all.growth_at_rest("it", {7, 0, 16, 0}).empty());
    CHECK(!all.growth_at_rest("it", {7, 0, 17, 0}).empty());
    CHECK(all.growth_at_rest("it", {8, 0, 99, 0}).empty());
}

TEST_CASE("a zombie is seen until it is waited for") {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    CHECK(test::eventually([] { return zombies_of(getpid()) == 1; }));
    CHECK(vital_of(getpid()).rss_kib > 0);
    CHECK(vital_of(getpid()).descriptors > 2);
    waitpid(child, nullptr, 0);
    CHECK(zombies_of(getpid()) == 0);
}

}  // namespace jobq::chaos
