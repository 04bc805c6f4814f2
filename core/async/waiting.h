// Waiting: which coroutines are suspended, where and since when, for `jobq profile tasks`.
//
// A wait links a node of its own into its reactor's list and unlinks it when it is over: a few
// stores, no allocation. Each coroutine keeps who awaits it and from which line, so that a wait is
// shown with its callers. Must stay true: what is in the list is suspended, so its callers are too.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstdint>

namespace jobq {

// A line of the source. The builtins and not std::source_location, which clang 14 does not have.
struct SourcePlace {
    const char* file = "";
    const char* function = "";
    int line = 0;

    static constexpr SourcePlace here(const char* file = __builtin_FILE(),
                                      const char* function = __builtin_FUNCTION(),
                                      int line = __builtin_LINE()) {
        return {file, function, line};
    }
};

// A coroutine that awaits at a place, and the one that awaits its end in turn; part of the promise
// of every task.
struct AwaitFrame {
    const AwaitFrame* caller = nullptr;
    SourcePlace at;
};

// Null for a coroutine that is no task: a root.
template <class Promise>
AwaitFrame* frame_of(std::coroutine_handle<Promise> handle) {
    if constexpr (std::derived_from<Promise, AwaitFrame>) return &handle.promise();
    return nullptr;
}

class WaitNode;

// All waits of one reactor, the longest waiting first.
class WaitList {
  public:
    WaitList() = default;
    WaitList(const WaitList&) = delete;
    ~WaitList();

    // The start of the loop's turn: precise enough for how long something waits, and free.
    void set_now(int64_t ms) { now_ms_ = ms; }

    int64_t now_ms() const { return now_ms_; }

    // Calls see(node) for each.
    template <class See>
    void each(See see) const;

  private:
    friend class WaitNode;

    WaitNode* first_ = nullptr;
    WaitNode* last_ = nullptr;
    int64_t now_ms_ = 0;
};

class WaitNode {
  public:
    WaitNode() = default;
    WaitNode(const WaitNode&) = delete;

    ~WaitNode() { leave(); }

    // `kind` is a literal: what it waits for.
    template <class Promise>
    void enter(WaitList& list, const char* kind, std::coroutine_handle<Promise> waiter,
               SourcePlace at) {
        const AwaitFrame* frame = frame_of(waiter);
        kind_ = kind;
        frame_ = {frame ? frame->caller : nullptr, at};
        since_ms_ = list.now_ms_;
        list_ = &list;
        previous_ = list.last_;
        (previous_ ? previous_->next_ : list.first_) = this;
        list.last_ = this;
    }

    void leave() {
        if (!list_) return;
        (previous_ ? previous_->next_ : list_->first_) = next_;
        (next_ ? next_->previous_ : list_->last_) = previous_;
        list_ = nullptr;
        previous_ = next_ = nullptr;
    }

    const char* kind() const { return kind_; }

    // The wait itself, then its callers.
    const AwaitFrame& frame() const { return frame_; }

    int64_t since_ms() const { return since_ms_; }

  private:
    friend class WaitList;

    WaitList* list_ = nullptr;
    WaitNode* previous_ = nullptr;
    WaitNode* next_ = nullptr;
    const char* kind_ = "";
    AwaitFrame frame_;
    int64_t since_ms_ = 0;
};

inline WaitList::~WaitList() {
    while (first_)
        first_->leave();
}

template <class See>
void WaitList::each(See see) const {
    for (const WaitNode* node = first_; node; node = node->next_)
        see(*node);
}

}  // namespace jobq
