// A flood: clients that enqueue by the hundreds in one call, and a fleet of flood_worker processes
// that run what they enqueue. Made by a scenario beside its rig, whose history and end it shares.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/rig.h"

namespace jobq::chaos {

struct FloodPlan {
    int producers = 3;
    int per_call = 500;  // the most jobs of a call
    int pause_ms = 100;  // between the calls of a producer
    int workers = 2;
    int64_t most = 200'000;  // jobs, acknowledged
};

// For the configuration of the rig: the type of these jobs.
extern const char* const kFloodToml;

class Flood {
  public:
    Flood(Rig& rig, FloodPlan plan, uint64_t seed);
    ~Flood();  // workers end too
    Flood(const Flood&) = delete;

    // Before Rig::finish(); the workers go on.
    void stop_producing();

    // Each is done to one worker, chosen at random; the rig's record has it.
    void kill_worker();
    void stop_worker(int for_ms);
    // Goes on with those whose time of being stopped is over; `all`: with the others too.
    void go_on(bool all = false);

  private:
    struct Worker {
        std::string wid;
        pid_t pid = 0;
        int64_t stopped_us = 0, until_us = 0;  // 0: it is not
        int64_t woken_us = 0;                  // of the last stop
    };

    void produce(uint64_t seed);
    void start_worker(Worker& worker);
    void wake(Worker& worker);
    Worker& any_worker();

    Rig& rig_;
    const FloodPlan plan_;
    std::atomic<bool> producing_ = true;
    std::vector<std::thread> producers_;
    std::vector<Worker> workers_;
};

}  // namespace jobq::chaos
