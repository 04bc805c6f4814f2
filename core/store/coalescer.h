// Coalescer: joins calls into few. What is asked in one turn of the loop, and while calls are in
// flight, goes out together: batches of one and no delay when idle, hundreds under load. No timer.
// Few items do not wait for the calls before them: Redis takes small calls that came meanwhile in
// one turn of its own, with one fsync.
//
// Each asker adds a vector and awaits one answer per item, in order; an asker's items may travel in
// several calls, and items of several askers in one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "core/async/gate.h"
#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq {

template <class Item, class Answer>
class Coalescer {
  public:
    // One ask(): its items stay where they came, and its answers are written beside them. Held by
    // its entries: when the last of them goes, what has no answer gets none any more.
    struct Asker {
        explicit Asker(Reactor& reactor) : all(reactor) {}

        Asker(const Asker&) = delete;

        ~Asker() {
            if (missing > 0) all.set(std::move(answers));
        }

        std::vector<Item> items;
        std::vector<Result<Answer>> answers;
        size_t missing = 0;
        Slot<std::vector<Result<Answer>>> all;
    };

    struct Entry {
        std::shared_ptr<Asker> asker;
        size_t index = 0;

        const Item& item() const { return asker->items[index]; }

        void answer(Result<Answer> value) const {
            asker->answers[index] = std::move(value);
            if (--asker->missing == 0) asker->all.set(std::move(asker->answers));
        }
    };

    using Batch = std::vector<Entry>;
    // Sends one batch and answers each of its entries.
    using Send = std::function<task<void>(Batch)>;
    using Weigh = std::function<size_t(const Item&)>;

    struct Bounds {
        size_t items, bytes;  // of one call
        int calls;            // in flight, when there is much to do
    };

    Coalescer(Reactor& reactor, Bounds bounds, Weigh weigh, Send send)
        : reactor_(reactor),
          bounds_(bounds),
          weigh_(std::move(weigh)),
          send_(std::move(send)),
          gate_(reactor) {}

    task<std::vector<Result<Answer>>> ask(std::vector<Item> items) {
        std::vector<Result<Answer>> answers;
        if (items.empty()) co_return answers;
        auto asker = std::make_shared<Asker>(reactor_);
        asker->missing = items.size();
        asker->answers.resize(
            items.size(),
            fail(ErrorCode::unknown,
                 "the call failed inside jobqd: it may or may not have been carried out"));
        asker->items = std::move(items);
        auto all = asker->all;
        waiting_.push_back({std::move(asker), 0});
        plan_flush();
        answers = co_await all;
        co_return answers;
    }

  private:
    bool may_send() const {
        const bool little = items_in_flight_ < limits::kSmallItems;
        return in_flight_ < (little ? limits::kSmallCalls : bounds_.calls);
    }

    void plan_flush() {
        if (planned_ || waiting_.empty() || !may_send()) return;
        planned_ = true;
        reactor_.defer([this] {
            planned_ = false;
            while (!waiting_.empty() && may_send())
                gate_.spawn(send_one(take()));
        });
    }

    Batch take() {
        Batch batch;
        size_t bytes = 0;
        while (!waiting_.empty() && batch.size() < bounds_.items) {
            Entry& next = waiting_.front();
            bytes += weigh_(next.item());
            if (!batch.empty() && bytes > bounds_.bytes) break;
            batch.push_back(next);
            if (++next.index == next.asker->items.size()) waiting_.pop_front();
        }
        ++in_flight_;
        items_in_flight_ += batch.size();
        return batch;
    }

    task<void> send_one(Batch batch) {
        const size_t items = batch.size();
        caught call(send_(std::move(batch)));
        auto escaped = co_await call;
        --in_flight_;
        items_in_flight_ -= items;
        plan_flush();
        if (escaped) std::rethrow_exception(escaped);
    }

    Reactor& reactor_;
    Bounds bounds_;
    Weigh weigh_;
    Send send_;
    Gate gate_;
    std::deque<Entry> waiting_;  // of each asker the first item that was not taken
    int in_flight_ = 0;          // calls
    size_t items_in_flight_ = 0;
    bool planned_ = false;
};

}  // namespace jobq
