// Liveness and readiness, and answers while Redis does not answer.
#include <signal.h>

#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "tests/support/live/http_kit.h"

using namespace jobq::test;

namespace {

std::string word(const HttpAnswer& answer) {
    return std::to_string(answer.status) + " " +
           Json::parse(answer.body).at("status").get<std::string>();
}

// All at once, each by a connection of its own.
std::map<std::string, HttpAnswer> ask_all(const HttpDaemon& daemon,
                                          const std::vector<std::string>& targets) {
    std::map<std::string, HttpAnswer> answers;
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (const auto& target : targets)
        threads.emplace_back([&, target] {
            const HttpAnswer answer = daemon.ask("GET", target);
            std::lock_guard lock(mutex);
            answers[target] = answer;
        });
    for (auto& thread : threads)
        thread.join();
    return answers;
}

}  // namespace

TEST_CASE("http: with Redis hung jobqd is alive and not ready, and every question is answered") {
    HttpDaemon daemon;
    const std::string jid = daemon.enqueue(R"({"type":"noop","delay_ms":600000})");
    CHECK(word(daemon.ask("GET", "/healthz")) == "200 ready");
    CHECK(word(daemon.ask("GET", "/readyz")) == "200 ready");
    const std::string job = "/api/v1/jobs/" + jid;
    const std::vector<std::string> from_redis{"/api/v1/stats",
                                              "/api/v1/queues",
                                              "/api/v1/jobs?state=ready",
                                              "/api/v1/dead",
                                              job,
                                              job + "/payload",
                                              job + "/result",
                                              job + "/log",
                                              "/api/v1/jobs?state=scheduled&limit=1",
                                              "/api/v1/dead/groups"};
    const std::vector<std::string> of_its_own{"/api/v1/ping",      "/metrics",
                                              "/api/v1/workers",   "/api/v1/operations",
                                              "/api/openapi.json", "/"};
    REQUIRE(::kill(daemon.redis_pid(), SIGSTOP) == 0);
    const auto answers = ask_all(daemon, from_redis);
    for (const auto& target : from_redis) {
        INFO(target);
        const HttpAnswer& answer = answers.at(target);
        REQUIRE(answer.status == 503);
        CHECK(Json::parse(answer.body).at("retryable") == true);
        CHECK(answer.headers.contains("retry-after"));
    }
    for (const auto& target : of_its_own)
        CHECK(daemon.ask("GET", target).status == 200);
    CHECK(eventually([&] { return word(daemon.ask("GET", "/readyz")) == "503 store_down"; }));
    CHECK(daemon.ask("GET", "/healthz").status == 200);
    const auto refused = daemon.ask("POST", "/api/v1/jobs", R"({"type":"noop"})");
    CHECK(refused.status == 503);
    ::kill(daemon.redis_pid(), SIGCONT);
    CHECK(eventually([&] { return word(daemon.ask("GET", "/readyz")) == "200 ready"; }));
    CHECK(daemon.ask("GET", "/api/v1/stats").status == 200);
}
