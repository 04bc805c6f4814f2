// RedisStore: the Store on one Redis. Bodies by concern: enqueue.cpp, fetch.cpp, finish.cpp,
// failed.cpp (counts by cause),
// change.cpp (cancel, requeue, remove, kill), inspect.cpp (get, list, logs), totals.cpp (stats,
// queues, pause, clear, purge, flush), batch.cpp (batches, progress), bring_in.cpp (imports),
// doctor.h (checkup), and redis_store.cpp (script calls, schema).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/async/reactor.h"
#include "core/store/coalescer.h"
#include "core/store/keys.h"
#include "core/store/link.h"
#include "core/store/script.h"
#include "core/store/store.h"

namespace jobq {

// What is sent together.
enum class StoreBatch : uint8_t { enqueue, fetch, finish };

struct RedisStoreOptions {
    bool publish_hints = false;   // other daemons share this Redis
    std::string token_prefix;     // unique to this process; "" takes a random one
    int calls_in_flight = 2;      // of each coalesced operation
    StorageGate* gate = nullptr;  // outlives the store; none: everything may be written
    std::function<void(StoreBatch what, size_t count)> on_batch{};  // told of each that goes out
};

class RedisStore final : public Store {
  public:
    RedisStore(Reactor& reactor, RedisLink& link, Keys keys, RedisStoreOptions options);

    // Loads the scripts and checks the schema, making it in an empty store. config: the store is
    // newer than this program. Called whenever the link becomes ready.
    task<Result<>> open();

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
    task<Result<StoreStats>> stats() override;
    task<Result<QueuePage>> queue_page(QueueRequest request) override;
    task<Result<FailedGroups>> failed_groups() override;
    task<Result<bool>> count_failed() override;
    task<Result<>> pause(std::vector<std::string> queues, bool paused) override;
    task<Result<int64_t>> clear(std::string queue, bool forget) override;
    task<Result<>> make_batch(BatchSpec spec) override;
    task<Result<>> open_batch(std::string bid, bool open) override;
    task<Result<BatchView>> batch(std::string bid) override;
    task<Result<bool>> track(ProgressUpdate update) override;
    task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) override;
    task<Result<>> flush() override;
    task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) override;

    std::unique_ptr<Checkup> checkup(bool fix) override;

  private:
    friend class Doctor;
    using EnqueueCoalescer = Coalescer<Job, Enqueued>;
    using FetchCoalescer = Coalescer<FetchRequest, std::vector<Leased>>;
    using FinishCoalescer = Coalescer<Finish, bool>;

    // Calls the script with the prefix as its key and `args`; an error reply becomes an Error, and
    // so does one of another form (answer_form.h). `jobs`: how many it was asked about, where it
    // answers for each.
    task<Result<Reply>> run(const Script& script, Command args, size_t jobs = 0);

    void tell(StoreBatch what, size_t count) {
        if (options_.on_batch) options_.on_batch(what, count);
    }

    // Of a store of an older schema: what it had otherwise is as it is today.
    task<Result<>> migrate();

    // Tells the other daemons, where there may be some: `word` befell the jobs.
    task<void> hint(std::string word, std::vector<std::string> jids);
    task<void> send_enqueue(EnqueueCoalescer::Batch batch);
    task<void> send_push(std::string header, EnqueueCoalescer::Batch batch,
                         EnqueueCoalescer::Batch* known);
    task<void> send_others(EnqueueCoalescer::Batch batch);
    task<void> settle_known(EnqueueCoalescer::Batch batch, std::vector<std::string> known);
    task<void> send_fetch(FetchCoalescer::Batch batch);
    task<void> fetch_together(FetchCoalescer::Batch group);
    task<Result<std::vector<Leased>>> fetch_for(FetchRequest request);
    task<void> send_finish(FinishCoalescer::Batch batch);
    static void add_done(Command& args, const FinishCoalescer::Batch& group);
    const Script& ending_of(const FinishCoalescer::Batch& group, int64_t now, Command* args);
    task<void> send_group(FinishCoalescer::Batch group, int64_t now);
    // Requires of these: at most limits::kScriptJobs jobs.
    task<Result<std::vector<Result<Cancelled>>>> cancel_part(std::vector<std::string> jids);
    task<Result<std::vector<Result<>>>> requeue_part(std::vector<std::string> jids, bool revive);
    task<Result<std::vector<Result<>>>> kill_part(std::vector<std::string> jids);
    task<Result<std::vector<Leased>>> take_over_part(std::string from, std::string to,
                                                     std::vector<LeaseName> some, int limit);
    // The jobs, in order. `head_bytes` 0: whole.
    task<Result<std::vector<Result<JobView>>>> look_at(std::vector<std::string> jids,
                                                       size_t head_bytes, std::string text);
    task<Result<ListPage>> list_page(Reply ids, ListRequest request);
    task<Result<>> adopt();
    task<Result<ListPage>> list_done(ListRequest request);
    task<Result<>> bring_in_part(const std::vector<Imported>* jobs, size_t from, size_t to,
                                 std::vector<Result<Enqueued>>* results,
                                 std::vector<size_t>* undecided);
    std::string next_token();
    // The names from `from` on are queues to look at.
    void tell_ready(const Reply& reply, size_t from);

    Reactor& reactor_;
    RedisLink& link_;
    Keys keys_;
    RedisStoreOptions options_;
    uint64_t tokens_ = 0;
    // How far count_failed() is.
    State count_state_ = State::retrying;
    std::string count_cursor_;
    EnqueueCoalescer enqueue_;
    FetchCoalescer fetch_;
    FinishCoalescer finish_;
};

// Helpers shared by the bodies.
// The group that a failed job is counted under, and its words.
void add_cause(Command& args, const std::string& type, const JobRecord& record);
std::string header_of(const std::string& queue, int priority);  // "<priority><queue>"
std::string member_of(const std::string& queue, int priority, const std::string& jid);
int64_t integer_of(const Reply& reply);  // of an integer, or a string that holds one; else 0

}  // namespace jobq
