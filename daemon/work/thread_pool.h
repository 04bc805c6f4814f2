// ThreadPool: runs built-in handlers on threads of jobqd. One hand-off per batch each way: the loop
// gives the threads a batch under one lock, and they claim its jobs by a counter; what is done goes
// on a list of the slot's own, and the loop is woken once for all of them. A lock is taken for a
// batch, never for a job. How far it fetches ahead follows from what it sees: as many as its slots
// can start in the time one fetch takes; what slow jobs keep from starting goes back for others.
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
#include "daemon/broker/broker.h"
#include "daemon/loop/uv_reactor.h"
#include "daemon/work/builtin.h"

namespace jobq {

class ThreadPool {
  public:
    ThreadPool(UvReactor& reactor, Broker& broker, PoolConfig config);
    ~ThreadPool();

    void start();
    // Takes nothing more; jobs that run may end within limit_ms, then they are told to stop and
    // handed back. May be called again meanwhile: the shorter limit counts, and both return when it
    // is over.
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
        int64_t deadline_ms = 0, started_wall_us = 0;
        std::atomic<bool> stop{false};
        HandlerResult result;
        int64_t ended_wall_us = 0, took_us = 0;
        Work *next_done = nullptr, *next_begun = nullptr;
    };

    // What one fetch gave. Must stay true: work[i] belongs to whoever's `next++` was i.
    struct Batch {
        std::vector<Work*> work;
        int64_t handed_ms = 0;
        std::atomic<size_t> next{0};

        bool is_claimed() const { return next.load(std::memory_order_relaxed) >= work.size(); }
    };

    // On a cache line of its own: each is written by one thread, and emptied by the loop.
    struct alignas(64) Slot {
        std::atomic<Work*> begun{nullptr};  // linked by next_begun, latest first
        std::atomic<Work*> done{nullptr};   // linked by next_done, likewise
    };

    task<void> fetcher();
    task<void> canceller();
    // While something is handed over: hands back what did not start for a while.
    task<void> watch_unstarted();
    // Those not claimed of batches that were handed over by then; sets whether others are left.
    std::vector<Work*> take_unstarted(int64_t handed_by_ms, bool* left);
    task<void> settle(std::vector<Work*> done);
    void hand_over(std::vector<Work*> work);
    void collect();
    // Looks soon at what has begun: a start wakes the loop no more than that.
    void look_soon(int64_t after_ms);
    void tell_begun();

    // On the threads.
    void thread_main(Slot& slot);
    Work* claim(Batch& batch);
    bool next_batch(std::shared_ptr<Batch>& batch);
    void drop_claimed();
    void wake_another();
    static void run(Slot& slot, Work& work);
    void give_back(Slot& slot, Work* work);

    int window() const;
    // Those that are to be cancelled, as the state of now says.
    void stop_cancelled();

    UvReactor& reactor_;
    Broker& broker_;
    PoolConfig config_;
    Types types_;  // that it runs
    std::string owner_;
    std::shared_ptr<Worker> worker_;
    std::shared_ptr<Waiters::Ticket> ticket_;
    Rng rng_;
    Signal room_, halt_, over_;
    Gate gate_;
    std::unordered_map<Work*, std::unique_ptr<Work>> running_;  // until the store knows their end
    int64_t fetch_us_ = 1'000, job_us_ = 1'000;                 // moving averages
    int64_t unbegun_ = 0;  // of those handed over, as far as is known
    bool looking_ = false;
    bool stopping_ = false, stopped_ = false, hurry_ = false, watching_ = false;
    int64_t stop_deadline_ms_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what threads have posted

    std::mutex mutex_;  // of the next three
    std::condition_variable work_there_;
    std::deque<std::shared_ptr<Batch>> batches_;
    bool threads_stop_ = false;
    std::atomic<int> idle_{0};             // threads that wait for a batch
    std::atomic<bool> waking_{false};      // one of them has been woken and is on its way
    std::atomic<bool> collecting_{false};  // the loop has been woken and did not look yet
    std::unique_ptr<Slot[]> slots_;
    std::vector<std::thread> threads_;
};

}  // namespace jobq
