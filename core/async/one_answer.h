// OneAnswer: an answer that costs much is made once for all who asked before it was begun, and
// serves whoever asks within its time. Who asks while it is made gets the next one, which has seen
// what they did before: that is made once as well.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/base/error.h"

namespace jobq {

template <class T>
class OneAnswer {
  public:
    using Made = std::shared_ptr<const T>;
    using Make = std::function<task<Result<T>>()>;
    using Serves = std::function<int64_t(const T&)>;  // for how long it does

    explicit OneAnswer(Reactor& reactor) : reactor_(reactor) {}

    // What make() gives, or gave before; an error serves only those who waited for it.
    task<Result<Made>> get(Make make, Serves serves_ms) {
        const uint64_t asked = begun_;
        while (true) {
            const bool fresh = last_ && last_->has_value() && reactor_.now_ms() < serves_until_ms_;
            if (last_ && (fresh || last_begun_ > asked)) co_return *last_;
            if (!making_) break;
            auto place = making_;
            auto wait = place->wait(-1);
            co_await wait;
        }
        const Making mine(*this);
        auto made = co_await make();
        last_begun_ = mine.number;
        if (!made) {
            last_.emplace(tl::unexpected<Error>(made.error()));
        } else {
            Made kept = std::make_shared<const T>(std::move(*made));
            // Of use to those alone who wait for it, when it was forgotten meanwhile.
            const int64_t serves = mine.number > forgotten_ ? serves_ms(*kept) : 0;
            serves_until_ms_ = reactor_.now_ms() + serves;
            last_.emplace(std::move(kept));
        }
        co_return *last_;
    }

    // What was made until now is no longer true.
    void forget() {
        forgotten_ = begun_;
        serves_until_ms_ = 0;
    }

  private:
    // Of one who makes it. The others go on when it goes, also by an exception.
    struct Making {
        explicit Making(OneAnswer& o) : owner(o), number(++o.begun_) {
            owner.making_ = std::make_shared<Signal>(owner.reactor_);
        }

        ~Making() {
            auto place = std::exchange(owner.making_, nullptr);
            place->notify_all();
        }

        Making(const Making&) = delete;

        OneAnswer& owner;
        const uint64_t number;
    };

    Reactor& reactor_;
    std::optional<Result<Made>> last_;
    uint64_t begun_ = 0, last_begun_ = 0, forgotten_ = 0;
    int64_t serves_until_ms_ = 0;
    std::shared_ptr<Signal> making_;  // null: nobody does
};

}  // namespace jobq
