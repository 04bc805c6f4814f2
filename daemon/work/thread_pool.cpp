#include "daemon/work/thread_pool.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/time.h"
#include "core/policy/pick.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

int64_t monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

int64_t wall_now_us() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

// Two of one name, of before and after a reload, hold their jobs apart.
std::string new_owner(const std::string& name, const std::string& epoch) {
    static uint64_t made = 0;
    const std::string owner = "pool:" + name + ":" + epoch;
    return made++ == 0 ? owner : owner + "." + std::to_string(made);
}

constexpr int64_t kFetchWaitMs = 30'000, kErrorPauseMs = 200;
constexpr int64_t kLookLatestMs = 64;
constexpr int64_t kStaleMs = 250;  // what did not start for so long, others may start
constexpr int kWindowMax = 2'000;

}  // namespace

ThreadPool::ThreadPool(UvReactor& reactor, Broker& broker, PoolConfig config)
    : reactor_(reactor),
      broker_(broker),
      config_(std::move(config)),
      types_(types_of(builtins_of(config_))),
      owner_(new_owner(config_.name, broker.names().epoch())),
      ticket_(std::make_shared<Waiters::Ticket>(reactor)),
      rng_(random_u64()),
      room_(reactor),
      halt_(reactor),
      over_(reactor),
      gate_(reactor) {}

ThreadPool::~ThreadPool() {
    JOBQ_CHECK(threads_.empty());
    *alive_ = false;
}

void ThreadPool::start() {
    worker_ = broker_.workers().meet("pool:" + config_.name);
    worker_->owner = owner_;
    worker_->kind = WorkerKind::pool;
    worker_->slots = config_.slots;
    slots_ = std::make_unique<Slot[]>(size_t(config_.slots));
    try {
        for (int i = 0; i < config_.slots; ++i)
            threads_.emplace_back([this, i] { thread_main(slots_[size_t(i)]); });
    } catch (const std::system_error& error) {
        log(LogLevel::error, "pool.short",
            "pool " + config_.name + " has " + std::to_string(threads_.size()) + " threads of " +
                std::to_string(config_.slots) + ": " + error.what() +
                "; raise LimitNPROC (ulimit -u) or lower the slots, then reload");
    }
    if (threads_.empty()) return;
    gate_.keep([this] { return fetcher(); });
    gate_.keep([this] { return canceller(); });
}

// Jobs that may be out at once: those that run, and those that will start while a fetch is on.
int ThreadPool::window() const {
    int64_t ahead = int64_t(config_.slots) * fetch_us_ / std::max<int64_t>(job_us_, 1);
    return config_.slots + int(std::clamp<int64_t>(ahead, 0, kWindowMax));
}

task<void> ThreadPool::fetcher() {
    while (!stopping_) {
        if (ticket_->interrupted) ticket_ = std::make_shared<Waiters::Ticket>(reactor_);
        int room = window() - busy();
        // Refill in halves: a call for each freed slot would make every batch one job.
        if (room < std::max(1, std::min(window() - config_.slots, busy()) / 2)) {
            auto wait = room_.wait(kFetchWaitMs);
            co_await wait;
            continue;
        }
        FetchOrder order;
        order.owner = owner_;
        order.worker = config_.name;
        order.queues = pick_order(config_.queues, config_.strict, rng_);
        order.count = room;
        order.types = types_;
        order.wait_ms = kFetchWaitMs;
        order.tells_starts = true;
        int64_t began = monotonic_us();
        auto leases = co_await broker_.dispatch().fetch(std::move(order), ticket_);
        if (!leases) {
            auto pause = room_.wait(kErrorPauseMs);
            co_await pause;
            continue;
        }
        int64_t took = std::min<int64_t>(monotonic_us() - began, 20'000);
        if (!leases->empty()) fetch_us_ = (fetch_us_ * 7 + took) / 8;

        std::vector<Work*> batch;
        batch.reserve(leases->size());
        for (auto& lease : *leases) {
            auto work = std::make_unique<Work>();
            work->token = std::move(lease.token);
            work->attempt = current_attempt(lease.record);
            int64_t limit = lease.job.timeout_ms.value_or(
                broker_.current().policy_of(lease.job.type).timeout_ms);
            work->deadline_ms = later_ms(reactor_.now_ms(), limit);
            work->job = std::move(lease.job);
            const Running* known = broker_.running().find(work->job.jid);
            if (known && known->cancel_asked) work->stop = true;  // while it was on its way
            batch.push_back(work.get());
            running_.emplace(work.get(), std::move(work));
        }
        if (!batch.empty()) hand_over(std::move(batch));
    }
}

task<void> ThreadPool::canceller() {
    while (!stopping_) {
        auto wait = worker_->notice.wait(-1);
        co_await wait;
        stop_cancelled();
    }
}

void ThreadPool::stop_cancelled() {
    for (auto& [work, owned] : running_) {
        const Running* known = broker_.running().find(work->job.jid);
        if (known && known->cancel_asked && known->token() == work->token) work->stop = true;
    }
    worker_->cancel.clear();
}

void ThreadPool::hand_over(std::vector<Work*> work) {
    auto batch = std::make_shared<Batch>();
    unbegun_ += int64_t(work.size());
    batch->work = std::move(work);
    batch->handed_ms = reactor_.now_ms();
    {
        std::lock_guard lock(mutex_);
        batches_.push_back(std::move(batch));
        work_there_.notify_one();  // who comes wakes the next one while there is work
    }
    look_soon(1);
    if (!watching_) gate_.keep([this] { return watch_unstarted(); });
}

std::vector<ThreadPool::Work*> ThreadPool::take_unstarted(int64_t handed_by_ms, bool* left) {
    std::vector<Work*> unstarted;
    std::lock_guard lock(mutex_);
    drop_claimed();
    for (auto& batch : batches_) {
        if (batch->handed_ms > handed_by_ms) continue;
        for (size_t at = batch->next.exchange(batch->work.size()); at < batch->work.size(); ++at)
            unstarted.push_back(batch->work[at]);
    }
    drop_claimed();
    *left = !batches_.empty();
    for (Work* work : unstarted)
        work->result.outcome = Outcome::released;
    unbegun_ -= int64_t(unstarted.size());
    return unstarted;
}

task<void> ThreadPool::watch_unstarted() {
    watching_ = true;
    bool left = true;
    while (left && !stopping_) {
        auto wait = halt_.wait(kStaleMs);
        co_await wait;
        if (stopping_) break;
        auto unstarted = take_unstarted(reactor_.now_ms() - kStaleMs, &left);
        if (unstarted.empty()) continue;
        // Slower than it seemed: nothing more is taken ahead until that is known better.
        job_us_ = std::max(job_us_, kStaleMs * 1'000);
        ticket_->interrupt();  // a fetch that waits asks for as many as before
        co_await settle(std::move(unstarted));
    }
    watching_ = false;
}

void ThreadPool::thread_main(Slot& slot) {
    std::shared_ptr<Batch> batch;
    while (next_batch(batch)) {
        while (Work* work = claim(*batch)) {
            run(slot, *work);
            give_back(slot, work);
        }
    }
}

// Waits for a batch with something left; false when the pool ends.
bool ThreadPool::next_batch(std::shared_ptr<Batch>& batch) {
    std::unique_lock lock(mutex_);
    ++idle_;
    work_there_.wait(lock, [this] {
        drop_claimed();
        return threads_stop_ || !batches_.empty();
    });
    --idle_;
    waking_ = false;
    if (batches_.empty()) return false;
    batch = batches_.front();
    return true;
}

// Requires: mutex_ is held.
void ThreadPool::drop_claimed() {
    while (!batches_.empty() && batches_.front()->is_claimed())
        batches_.pop_front();
}

ThreadPool::Work* ThreadPool::claim(Batch& batch) {
    size_t at = batch.next.fetch_add(1, std::memory_order_relaxed);
    if (at >= batch.work.size()) return nullptr;
    if (at + 1 < batch.work.size()) wake_another();
    return batch.work[at];
}

// One at a time, and each that comes wakes the next: a thousand idle threads are not all woken for
// a batch that two of them empty meanwhile. Whoever was counted idle and does not wait yet sees the
// batch before it waits.
void ThreadPool::wake_another() {
    if (idle_.load(std::memory_order_relaxed) == 0 || waking_.load(std::memory_order_relaxed))
        return;
    if (!waking_.exchange(true)) work_there_.notify_one();
}

void ThreadPool::run(Slot& slot, Work& work) {
    work.started_wall_us = wall_now_us();
    work.next_begun = slot.begun.load(std::memory_order_relaxed);
    while (!slot.begun.compare_exchange_weak(work.next_begun, &work)) {
    }
    int64_t began = monotonic_us();
    HandlerCall call;
    call.payload = handler_payload(work.job);
    call.attempt = work.attempt;
    call.deadline_ms = work.deadline_ms;
    call.stop = &work.stop;
    work.result = builtin(work.job.type)(call);
    work.took_us = monotonic_us() - began;
    work.ended_wall_us = wall_now_us();
}

void ThreadPool::give_back(Slot& slot, Work* work) {
    work->next_done = slot.done.load(std::memory_order_relaxed);
    while (!slot.done.compare_exchange_weak(work->next_done, work)) {
    }
    if (!collecting_.exchange(true))
        reactor_.post_from_thread([this, alive = alive_] {
            if (*alive) collect();
        });
}

void ThreadPool::collect() {
    collecting_.exchange(false);  // before the look: what comes after it posts again
    std::vector<Work*> done;
    for (int i = 0; i < config_.slots; ++i) {
        if (slots_[size_t(i)].done.load(std::memory_order_relaxed) == nullptr) continue;
        Work* work = slots_[size_t(i)].done.exchange(nullptr);
        for (; work != nullptr; work = work->next_done)
            done.push_back(work);
    }
    tell_begun();  // after that look: whatever is done has begun, and is among these
    if (done.empty()) return;
    gate_.spawn(settle(std::move(done)));
    if (unbegun_ > 0) look_soon(1);
}

void ThreadPool::tell_begun() {
    for (int i = 0; i < config_.slots; ++i) {
        if (slots_[size_t(i)].begun.load(std::memory_order_relaxed) == nullptr) continue;
        Work* work = slots_[size_t(i)].begun.exchange(nullptr);
        for (; work != nullptr; work = work->next_begun) {
            --unbegun_;
            broker_.dispatch().started(work->job.jid, work->token, work->started_wall_us / 1000);
        }
    }
}

// A thread that is free begins at once, mostly: later and later looks are for a busy machine.
void ThreadPool::look_soon(int64_t after_ms) {
    if (std::exchange(looking_, true)) return;
    reactor_.after(after_ms, [this, after_ms, alive = alive_] {
        if (!*alive) return;
        looking_ = false;
        tell_begun();
        if (unbegun_ > 0) look_soon(std::min(2 * after_ms, kLookLatestMs));
    });
}

task<void> ThreadPool::settle(std::vector<Work*> done) {
    std::vector<Ended> batch;
    batch.reserve(done.size());
    for (Work* work : done) {
        bool ran = work->started_wall_us != 0;
        if (ran) job_us_ = (job_us_ * 31 + std::min<int64_t>(work->took_us, 10'000'000)) / 32;
        Ended ended;
        ended.jid = work->job.jid;
        ended.owner = owner_;
        ended.token = work->token;
        RunReport& report = ended.report;
        report.outcome = work->result.outcome;
        if (report.outcome == Outcome::cancelled && hurry_) report.outcome = Outcome::released;
        report.error_type = std::move(work->result.error_type);
        report.message = std::move(work->result.message);
        report.result = std::move(work->result.result);
        report.result_is_json = !report.result.empty();
        report.started_us = work->started_wall_us;
        report.ended_us = work->ended_wall_us;
        report.started_ms = work->started_wall_us / 1000;
        report.ended_ms = work->ended_wall_us / 1000;
        report.worker = config_.name;
        batch.push_back(std::move(ended));
    }
    std::function<bool()> give_up = [this] { return hurry_; };
    auto results = co_await broker_.attempts().finish_surely(std::move(batch), std::move(give_up));
    for (size_t i = 0; i < done.size(); ++i) {
        if (!results[i])
            log(LogLevel::warn, "job.finish_failed", results[i].error().text,
                {{"jid", done[i]->job.jid}, {"worker", config_.name}});
        running_.erase(done[i]);
    }
    room_.notify_all();
}

void ThreadPool::hurry() {
    stop_deadline_ms_ = 0;
    room_.notify_all();
}

task<void> ThreadPool::stop(int64_t limit_ms) {
    const int64_t deadline = reactor_.now_ms() + limit_ms;
    stop_deadline_ms_ = stopping_ ? std::min(stop_deadline_ms_, deadline) : deadline;
    if (std::exchange(stopping_, true)) {
        room_.notify_all();
        while (!stopped_) {
            auto wait = over_.wait(-1);
            co_await wait;
        }
        co_return;
    }
    ticket_->interrupt();
    room_.notify_all();
    if (worker_) worker_->notice.notify_all();
    halt_.notify_all();
    bool left = false;
    auto unstarted = take_unstarted(INT64_MAX, &left);
    if (!unstarted.empty()) gate_.spawn(settle(std::move(unstarted)));
    while (!running_.empty() && reactor_.now_ms() < stop_deadline_ms_) {
        auto wait = room_.wait(stop_deadline_ms_ - reactor_.now_ms());
        co_await wait;
    }
    hurry_ = true;
    for (auto& [work, owned] : running_)
        work->stop = true;
    while (!running_.empty()) {  // the built-in handlers heed it within milliseconds
        auto wait = room_.wait(1'000);
        co_await wait;
    }
    co_await gate_.close();
    {
        std::lock_guard lock(mutex_);
        threads_stop_ = true;
        work_there_.notify_all();
    }
    for (auto& thread : threads_)
        thread.join();
    threads_.clear();
    broker_.workers().forget(worker_);
    stopped_ = true;
    over_.notify_all();
}

}  // namespace jobq
