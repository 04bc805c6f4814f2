// The clients of a chaos run, each a thread with connections of its own: producers, that enqueue by
// every way there is, and Faktory workers, that run jobs themselves. Each call is recorded; one
// whose answer did not come is recorded as unknown. They connect again until they are stopped.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/history.h"
#include "tests/support/live/faktory_kit.h"

namespace jobq::chaos {

// Of the type "chaos", as the rig configures it.
constexpr int kTypeAttempts = 3;

// What the jobs of a run are like; shares in per cent.
struct Traffic {
    int producers = 2;
    int per_second = 10;  // calls of each producer
    int consumers = 5;    // Faktory workers of the queue "remote"
    std::vector<std::string> queues = {"local", "remote"};
    int delayed = 10, failing = 15, keyed = 20, bulk = 15;
    int delay_ms = 2'000;  // the longest
    int job_ms = 200;      // the longest of most jobs
    int long_ms = 1'500;   // the longest of one in eight
    int reply_ms = 8'000;  // no answer for so long is none
    size_t padding = 0;    // bytes added to each payload
};

class Clients {
  public:
    Clients(History& history, Traffic traffic, std::string socket, std::string witness_log,
            uint64_t seed);
    ~Clients();

    void start();
    // Producers end; workers go on until stop().
    void stop_producing();
    void stop();
    // What a worker or producer could not help: anything here makes a run unknown.
    std::string trouble() const;

  private:
    void run(std::vector<std::thread>& threads, std::function<void(uint64_t)> body, uint64_t seed);

    History& history_;
    const Traffic traffic_;
    const std::string socket_, witness_log_;
    const uint64_t seed_;
    std::atomic<bool> producing_ = false, working_ = false;
    std::vector<std::thread> producers_, workers_;
    mutable std::mutex mutex_;
    std::string trouble_;
};

// The outcome that a reply tells: "+OK" and what is no error is ok.
Outcome outcome_of(const std::string& reply);
// A connection that is through its handshake; empty while nobody listens.
std::unique_ptr<test::Wire> connect(const std::string& socket, const std::string& hello);

// The start of a job, as TAKE gives it, at a worker that runs it in no process of its own: the pid
// is a number that no other run has.
Mark start_of(const nlohmann::json& taken, const std::string& holder);

}  // namespace jobq::chaos
