// A thousand thread slots through a mix of jobs that end well, fail, recover and overrun their time
// limit, with a stop and a start in the middle: all are accounted for. JOBQ_SURVIVAL_JOBS sets how
// many; a million take minutes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kConfig = R"(
stop_timeout = "2s"
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 1000
[type.fail]
backoff = { base = "50ms", factor = 1, max = "50ms", jitter = 0.0 }
)";

// What a slot and its hand-off may hold beyond the slots themselves: see ThreadPool's window.
constexpr int64_t kSlots = 1'000, kAhead = 2'000;

int64_t jobs_asked() {
    const char* text = std::getenv("JOBQ_SURVIVAL_JOBS");
    return text ? std::max<int64_t>(100, std::atoll(text) / 100 * 100) : 10'000;
}

// Of each hundred: 2 that always fail, 3 that are too slow, 5 that fail once, 90 noops.
std::string line_of(int64_t number) {
    const int64_t kind = number % 100;
    if (kind < 2) return R"({"type":"fail","max_attempts":1})";
    if (kind < 5) return R"({"type":"sleep","payload":9,"timeout":"30ms","max_attempts":1})";
    if (kind < 10) return R"({"type":"fail","payload":{"times":1},"max_attempts":3})";
    return R"({"type":"noop"})";
}

}  // namespace

TEST_CASE("a thousand slots survive failing, late and many jobs, and a stop in the middle") {
    const int64_t jobs = jobs_asked();
    LiveDaemon daemon(kConfig, {"--log-level", "error"});
    std::string input;
    for (int64_t i = 0; i < jobs; ++i)
        input += line_of(i) + "\n";
    Ran enqueued;
    std::thread enqueuer([&] { enqueued = daemon.jobq({"enqueue", "--jsonl", "-", "-q"}, input); });
    int64_t most_running = 0;
    const bool half = eventually(
        [&] {
            most_running = std::max(most_running, daemon.count("running"));
            return daemon.count("succeeded") >= jobs / 4;
        },
        std::chrono::seconds(300));
    enqueuer.join();  // who enqueues while jobqd stops is refused, and told which lines
    const int stopped = daemon.stop();
    daemon.start();
    INFO(enqueued.err);
    REQUIRE(enqueued.status == 0);
    CHECK(half);
    CHECK(stopped == 0);
    CHECK(most_running <= kSlots + kAhead);
    const auto all_over = [&] { return daemon.unfinished() == 0; };
    CHECK(eventually(all_over, std::chrono::seconds(600)));
    const json total = json::parse(daemon.must({"stats", "--json"})).at("jobs");
    INFO(total.dump());
    CHECK(total.at("enqueued") == jobs);
    CHECK(total.at("succeeded") == jobs / 100 * 95);
    CHECK(total.at("dead") == jobs / 100 * 5);
    CHECK(daemon.stop() == 0);
}

}  // namespace jobq::test
