// FaultyStore: the Store that a simulated daemon sees: every call goes over its StoreLink to the
// one store, and may be delayed, lost, answered too late or not at all.
//
// Must stay true: the daemon's coroutines are resumed by its own reactor alone, so that after a
// kill none is ever resumed; the store's side runs in the world.
#pragma once

#include "core/async/wait.h"
#include "core/store/store.h"
#include "tests/sim/store_link.h"

namespace jobq::sim {

class FaultyStore final : public Store {
  public:
    // Must outlive every call: both are kept until the run's end.
    FaultyStore(Reactor& reactor, std::shared_ptr<StoreLink> link, Store& store)
        : reactor_(reactor), link_(std::move(link)), store_(store) {}

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

    // Only the doctor's verb asks for one, and verbs are not simulated.
    std::unique_ptr<Checkup> checkup(bool fix) override { return store_.checkup(fix); }

    // Hints of this daemon for the others on the same store.
    void on_hint(std::function<void(const std::string&)> fn) { hint_ = std::move(fn); }

  private:
    template <class T>
    using Call = std::function<task<Result<T>>(Store&)>;

    // Over the link and back.
    template <class T>
    task<Result<T>> ask(std::string name, Call<T> call);

    Reactor& reactor_;
    std::shared_ptr<StoreLink> link_;
    Store& store_;
    std::function<void(const std::string&)> hint_;
};

}  // namespace jobq::sim
