// RelayStore: a Store that hands every call on to another one. Its subclasses look at some calls
// (the witness), or spoil some (planted mistakes).
#pragma once

#include <optional>

#include "core/store/around_store.h"

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

class RelayStore : public AroundStore<RelayStore> {
  public:
    explicit RelayStore(Store& below) : below_(below) {
        below_.on_ready([this](const std::string& queue) {
            if (on_ready_) on_ready_(queue);
        });
    }

    std::unique_ptr<Checkup> checkup(bool fix) override { return below_.checkup(fix); }

    template <class Call>
    auto around(std::string_view, const Whom&, const Call& call) {
        return call(below_);
    }

  protected:
    Store& below_;
};

}  // namespace jobq::sim
