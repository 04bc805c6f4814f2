// FaultyStore: the Store that a simulated daemon sees: every call goes over its StoreLink to the
// one store, and may be delayed, lost, answered too late or not at all.
//
// Must stay true: the daemon's coroutines are resumed by its own reactor alone, so that after a
// kill none is ever resumed; the store's side runs in the world.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "core/async/wait.h"
#include "core/store/around_store.h"
#include "tests/sim/relay_store.h"
#include "tests/sim/store_link.h"

namespace jobq::sim {
namespace detail {

// What a call came to, between the store and the daemon.
template <class T>
struct Outcome {
    std::optional<Result<T>> result;
    std::vector<std::string> ready;  // queues the reply names
};

// Queues that became ready by it, which other daemons are told of.
inline std::vector<std::string> promoted_queues(const Promoted& promoted) {
    std::vector<std::string> queues;
    for (const auto& [queue, count] : promoted.queues)
        queues.push_back(queue);
    return queues;
}

template <class Task>
struct ValueOf;

template <class T>
struct ValueOf<task<Result<T>>> {
    using type = T;
};

}  // namespace detail

class FaultyStore final : public AroundStore<FaultyStore> {
  public:
    // Must outlive every call: both are kept until the run's end.
    FaultyStore(Reactor& reactor, std::shared_ptr<StoreLink> link, Store& store)
        : reactor_(reactor), link_(std::move(link)), store_(store) {}

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override;
    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override;
    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override;
    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override;

    // Only the doctor's verb asks for one, and verbs are not simulated.
    std::unique_ptr<Checkup> checkup(bool fix) override { return store_.checkup(fix); }

    // Hints of this daemon for the others on the same store.
    void on_hint(std::function<void(const std::string&)> fn) { hint_ = std::move(fn); }

    template <class AnyCall>
    auto around(std::string_view name, const Whom& whom, const AnyCall& call) {
        std::string text(name);
        for (const auto& one : whom)
            text += " " + one;
        using T = typename detail::ValueOf<std::invoke_result_t<AnyCall, Store&>>::type;
        return ask(std::move(text), Call<T>(call));
    }

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

template <class T>
task<Result<T>> FaultyStore::ask(std::string name, Call<T> call) {
    Slot<Result<T>> slot(reactor_);
    auto outcome = std::make_shared<detail::Outcome<T>>();
    StoreLink::Command command;
    command.name = std::move(name);
    command.execute = [this, outcome, call] {
        store_.on_ready([outcome](const std::string& queue) { outcome->ready.push_back(queue); });
        outcome->result.emplace(at_once(call(store_)));
        store_.on_ready(nullptr);
        std::vector<std::string> hints = outcome->ready;
        if constexpr (std::is_same_v<T, Promoted>)
            if (*outcome->result) hints = detail::promoted_queues(**outcome->result);
        for (const auto& queue : hints)
            if (hint_) hint_(queue);
    };
    command.answer = [this, outcome, slot] {
        slot.set(std::move(*outcome->result));
        for (const auto& queue : outcome->ready)
            if (on_ready_) on_ready_(queue);
    };
    command.fail = [slot](ErrorCode code) { slot.set(fail(code, "the link to the store")); };
    link_->send(std::move(command));
    co_return co_await slot;
}

}  // namespace jobq::sim
