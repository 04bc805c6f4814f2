// RelayStore: a Store that hands every call on to another one. Its subclasses look at some calls
// (the witness), or spoil some (planted mistakes).
#pragma once

#include <optional>

#include "core/store/store.h"

namespace jobq::sim {

namespace detail {

template <class T>
task<void> keep(task<T> body, std::optional<T>* into) {
    auto value = co_await body;
    into->emplace(std::move(value));
}

}  // namespace detail

// What a task gives that waits for nothing, as those of the model are.
template <class T>
T at_once(task<T> body) {
    std::optional<T> value;
    spawn(detail::keep(std::move(body), &value));
    JOBQ_CHECK(value.has_value());
    return std::move(*value);
}

// A task that has its value already.
template <class T>
task<Result<T>> answered(T value) {
    co_return std::move(value);
}

class RelayStore : public Store {
  public:
    explicit RelayStore(Store& below) : below_(below) {
        below_.on_ready([this](const std::string& queue) {
            if (on_ready_) on_ready_(queue);
        });
    }

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override {
        return below_.enqueue(std::move(jobs));
    }

    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override {
        return below_.fetch(std::move(request));
    }

    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override {
        return below_.finish(std::move(batch));
    }

    task<Result<>> beat(std::vector<std::string> owners) override {
        return below_.beat(std::move(owners));
    }

    task<Result<std::vector<OwnerInfo>>> owners() override { return below_.owners(); }

    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override {
        return below_.take_over(std::move(from), std::move(to), std::move(some), limit);
    }

    task<Result<Promoted>> promote(int64_t now_ms, int limit) override {
        return below_.promote(now_ms, limit);
    }

    task<Result<>> purge(int64_t now_ms) override { return below_.purge(now_ms); }

    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) override {
        return below_.cancel(std::move(jids));
    }

    task<Result<std::vector<std::string>>> cancels() override { return below_.cancels(); }

    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                bool revive) override {
        return below_.requeue(std::move(jids), revive);
    }

    task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids) override {
        return below_.remove(std::move(jids));
    }

    task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids) override {
        return below_.kill(std::move(jids));
    }

    task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) override {
        return below_.get(std::move(jids));
    }

    task<Result<ListPage>> list(ListRequest request) override {
        return below_.list(std::move(request));
    }

    task<Result<std::vector<AttemptLog>>> logs(std::string jid) override {
        return below_.logs(std::move(jid));
    }

    task<Result<StoreStats>> stats() override { return below_.stats(); }

    task<Result<QueuePage>> queue_page(QueueRequest request) override {
        return below_.queue_page(std::move(request));
    }

    task<Result<FailedGroups>> failed_groups() override { return below_.failed_groups(); }

    task<Result<bool>> count_failed() override { return below_.count_failed(); }

    task<Result<>> pause(std::vector<std::string> queues, bool paused) override {
        return below_.pause(std::move(queues), paused);
    }

    task<Result<int64_t>> clear(std::string queue, bool forget) override {
        return below_.clear(std::move(queue), forget);
    }

    task<Result<>> make_batch(BatchSpec spec) override {
        return below_.make_batch(std::move(spec));
    }

    task<Result<>> open_batch(std::string bid, bool open) override {
        return below_.open_batch(std::move(bid), open);
    }

    task<Result<BatchView>> batch(std::string bid) override { return below_.batch(std::move(bid)); }

    task<Result<bool>> track(ProgressUpdate update) override {
        return below_.track(std::move(update));
    }

    task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) override {
        return below_.progress(std::move(jids));
    }

    task<Result<>> flush() override { return below_.flush(); }

    std::unique_ptr<Checkup> checkup(bool fix) override { return below_.checkup(fix); }

    task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) override {
        return below_.bring_in(std::move(jobs));
    }

  protected:
    Store& below_;
};

}  // namespace jobq::sim
