// MemoryStore: the Store contract as simple data in memory: the model RedisStore is compared with.
// No speed, no cleverness: one map of live jobs says where each is, so S3 and S8 hold by its form.
// Bodies: memory_store.cpp (enqueue to finish), memory_store_change.cpp, memory_store_look.cpp,
// memory_store_failed.cpp (counts by cause), memory_store_ties.cpp (locks, batches, slots,
// progress).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/async/reactor.h"
#include "core/store/store.h"

namespace jobq::test {

// A structure in memory does not come apart.
class NothingFound final : public Checkup {
  public:
    task<Result<CheckPage>> next() override {
        CheckPage page;
        page.over = true;
        co_return page;
    }
};

class MemoryStore : public Store {
  public:
    explicit MemoryStore(Reactor& clock) : clock_(clock) {}

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override;
    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override;
    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override;
    task<Result<>> beat(std::vector<std::string> owners) override;
    task<Result<std::vector<OwnerInfo>>> owners() override;
    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override;
    task<Result<Promoted>> promote(int64_t now_ms, int limit) override;
    task<Result<>> purge(int64_t now_ms) override;
    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) override;
    task<Result<std::vector<std::string>>> cancels() override;
    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                bool revive) override;
    task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids) override;
    task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids) override;
    task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) override;
    task<Result<ListPage>> list(ListRequest request) override;
    task<Result<std::vector<AttemptLog>>> logs(std::string jid) override;
    task<Result<PlaceInLine>> place_in_line(std::string jid, std::string queue,
                                            int priority) override;
    task<Result<StoreStats>> stats() override;
    task<Result<QueuePage>> queue_page(QueueRequest request) override;
    task<Result<FailedGroups>> failed_groups() override;

    task<Result<bool>> count_failed() override { co_return false; }

    task<Result<>> pause(std::vector<std::string> queues, bool paused) override;
    task<Result<int64_t>> clear(std::string queue, bool forget) override;
    task<Result<>> make_batch(BatchSpec spec) override;
    task<Result<>> open_batch(std::string bid, bool open) override;
    task<Result<BatchView>> batch(std::string bid) override;
    task<Result<bool>> track(ProgressUpdate update) override;
    task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) override;
    task<Result<>> flush() override;
    task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) override;

    std::unique_ptr<Checkup> checkup(bool) override { return std::make_unique<NothingFound>(); }

  private:
    // What a job is to its batch.
    enum class BatchPart : uint8_t { none, pending, failed, complete, success };
    // What befell a job.
    enum class Event : uint8_t { back, fail, ok, drop, gone };

    struct Live {
        Job job;
        JobRecord record;
        State state = State::ready;
        int64_t at_ms = 0;
        std::string owner, token;
        int64_t started_ms = 0;
        bool cancel_asked = false;
        int64_t change = 0;  // which one made it wait after an attempt; 0: none did
        std::string group;   // what it is counted under
        // Its ties. Whether it still holds its lock is in locks_.
        std::string lock, bid, slot_queue, slot_worker;
        bool until_start = false, tracked = false;
        BatchPart part = BatchPart::none;
    };

    struct Lock {
        std::string jid;
        int64_t expires_ms = 0;
    };

    struct Batch {
        BatchSpec spec;
        BatchView view;
        int64_t ok = 0, kids = 0;
        bool committed = false, lost = false;
        bool complete_over = false, success_over = false;  // their callback succeeded, or none is
        int64_t goes_ms = 0;                               // 0: not yet
    };

    // A job's place in a list. The job of a ghost was cancelled or removed; when its jid comes back
    // to the same list while the ghost is there, it takes the ghost's place. One that a fetch of
    // other types passed over leaves no ghost.
    struct Place {
        std::string jid;
        bool ghost = false, passed = false;
    };

    struct Queue {
        bool paused = false;
        std::map<char, std::deque<Place>, std::greater<>> lists;  // by priority digit, next first
    };

    // Failed jobs of one cause, without their counts.
    struct Group {
        Cause cause;
        int64_t since_ms = 0, latest_ms = 0;
        std::string latest;
    };

    // In a page: a job, and the cursor that goes on behind it.
    struct Listed {
        std::string jid, after;
    };

    struct Kept {
        FinalRecord record;
        int64_t until_s = 0;
    };

    struct KeptLog {
        std::string text;
        int64_t until_s = 0;
    };

    struct IdempotencyKey {
        int64_t expires_ms = 0;
        std::string jid;
    };

    // The job that has its idempotency key, "" when none has.
    std::string holder_of_key(const Job& job) const;
    Result<Enqueued> answer_for_holder(const Job& job, const std::string& jid);
    Result<Enqueued> enqueue_one(const Job& job);
    Result<Enqueued> bring_in_one(const Imported& one);
    Result<> finish_one(const Finish& finish);
    Leased lease_of(const Live& live) const;
    void lease(Live& live, const FetchRequest& request, const std::string& token);
    JobView view_of(const Live& live) const;
    Result<JobView> look(const std::string& jid) const;
    const Live* find(const std::string& jid) const;
    // Puts a job at the end of its list, or in front.
    void make_ready(Live& live, bool in_front);
    bool take_ghost_place(const Job& job);
    void leave_place(const Live& live);
    static bool earlier(const Live* a, const Live* b);
    static std::string rank(const Job& job);
    std::vector<const Live*> by_time(State state) const;
    std::string state_of(const std::string& jid) const;
    std::vector<Listed> list_queue(const std::string& name, const std::string& cursor) const;
    std::vector<Listed> list_set(State state, const std::string& cursor, bool newest_first) const;
    void keep_final(const std::string& jid, FinalRecord record, int64_t retention_ms);
    Error wrong_state(const std::string& jid) const;
    // It waits after an attempt from now on, or is dead; and it does no more.
    void note_failed(Live& live, int64_t at_ms);
    void forget_failed(Live& live);
    QueueInfo info_of(const std::string& name, bool latency);

    Result<> may_bind(const Ties& ties) const;
    void bind(Live& live, const Job& job);
    void start(Live& live);
    int room(const FetchRequest& request, const std::string& queue) const;
    // Copies what it needs first: `live` may be gone afterwards.
    void settle(const std::string& jid, Event event);
    void settle_batch(Live& live, Event event, bool over);
    void advance(const std::string& bid);
    bool fire(const std::string& bid, const std::optional<Job>& callback, BatchPart part);
    void success_over(Batch& batch);
    bool has_ghost(const std::string& jid) const;
    void let_rest(const std::string& bid);
    int live_ties(const std::string& bid) const;
    void purge_batches(int64_t now_ms);

    Reactor& clock_;
    std::map<std::string, Live> live_;
    std::map<std::string, Queue> queues_;
    std::map<std::string, int64_t> owners_;
    std::map<std::string, Kept> finals_;
    std::map<std::string, std::map<int, KeptLog>> logs_;
    std::map<std::string, IdempotencyKey> keys_;
    std::map<std::string, Lock> locks_;  // by digest
    std::map<std::string, Batch> batches_;
    std::map<std::string, Progress> progress_;
    std::map<std::string, int64_t> imported_;  // jid -> second until which it is known
    StoreStats counters_;
    std::map<std::string, Group> groups_;
    int64_t changes_ = 0;
    int64_t tokens_ = 0;
};

}  // namespace jobq::test
