// ThreadPool: runs built-in handlers on threads of jobqd. One hand-off per batch each way: the loop
// gives the threads a batch under one lock, they give back what is done under one lock and one
// wake-up. How far it fetches ahead follows from what it sees: as many as its slots can start in
// the time one fetch takes, so slow jobs are never held back from other pools.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/async/gate.h"
#include "core/config/config.h"
#include "daemon/loop/uv_reactor.h"
#include "daemon/work/broker.h"
#include "daemon/work/builtin.h"

namespace jobq {

// Classes of parked jobs (Finish::park): what thread pools run, what the runner runs, the rest.
inline constexpr char kParkThread = 't', kParkRunner = 'e', kParkOthers = 'o';

class ThreadPool {
  public:
    // `class_of` says where a job waits that this pool can't run.
    ThreadPool(UvReactor& reactor, Broker& broker, PoolConfig config,
               std::function<char(const std::string&)> class_of);
    ~ThreadPool();

    void start();
    // Takes nothing more; jobs that run may end within limit_ms, then they are told to stop and
    // handed back.
    task<void> stop(int64_t limit_ms);

    // Cuts the time limit of a stop() short.
    void hurry();

    const PoolConfig& config() const { return config_; }

    int busy() const { return int(running_.size()); }

  private:
    struct Work {
        Job job;
        std::string token;
        int attempt = 1;
        int64_t deadline_ms = 0, started_wall_us = 0, began_us = 0;
        std::atomic<bool> stop{false};
        HandlerResult result;
        int64_t ended_wall_us = 0, took_us = 0;
    };

    using WorkPtr = std::shared_ptr<Work>;

    task<void> fetcher();
    task<void> canceller();
    task<void> settle(std::vector<WorkPtr> done);
    void thread_main();
    void collect();
    int window() const;

    UvReactor& reactor_;
    Broker& broker_;
    PoolConfig config_;
    std::function<char(const std::string&)> class_of_;
    std::string owner_;
    std::shared_ptr<Worker> worker_;
    std::shared_ptr<Waiters::Ticket> ticket_;
    Rng rng_;
    Signal room_;
    Gate gate_;
    std::unordered_map<std::string, WorkPtr> running_;  // handed to the threads, by jid
    int64_t fetch_us_ = 1'000, job_us_ = 1'000;         // moving averages
    bool stopping_ = false, hurry_ = false;
    int64_t stop_deadline_ms_ = 0;

    std::mutex mutex_;  // of the next four
    std::condition_variable work_there_;
    std::deque<WorkPtr> waiting_;
    std::vector<WorkPtr> done_;
    bool threads_stop_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace jobq
