// Events: one bus inside jobqd. What happens to jobs is published once, as a line of JSON; `jobq
// events`, /api/v1/events and later the dashboard subscribe. A subscriber that is too slow loses
// the oldest and is told how many.
//
// While somebody subscribes who may come back, and for kReplayMs after the last such has gone, all
// events are made and the last kReplay of them kept, so that who comes back is told what it missed.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/wait.h"

namespace jobq {

struct Event {
    std::string name;         // "enqueued", "started", "finished", "retry", "dead", ...
    std::string json;         // the whole object
    std::string queue, type;  // of the job; "": not about one
    uint64_t id = 0;          // of this process's run, from 1; given by publish()
};

// What a subscriber wants; what is empty excludes nothing.
struct EventFilter {
    std::vector<std::string> names;
    std::string queue, type;

    bool wants(std::string_view name) const;
    bool takes(const Event& event) const;
};

class Events {
    // Who may come back: how many are here, and until when the others are waited for (monotonic).
    struct Resumable {
        int here = 0;
        int64_t until_ms = 0;
    };

  public:
    // Holds what was published since it was last emptied, up to kBacklog.
    class Subscription {
      public:
        Subscription(Reactor& reactor, EventFilter wanted, std::shared_ptr<Resumable> resumable);
        ~Subscription();
        Subscription(const Subscription&) = delete;

        const EventFilter filter;

        std::deque<std::shared_ptr<const Event>> waiting;
        int64_t lost = 0;
        Signal changed;

      private:
        friend class Events;
        void take(std::shared_ptr<const Event> event);

        Reactor& reactor_;
        const std::shared_ptr<Resumable> resumable_;  // null: it does not come back
    };

    explicit Events(Reactor& reactor) : reactor_(reactor) {}

    // Ends when the pointer is dropped.
    std::shared_ptr<Subscription> subscribe(EventFilter filter = {});
    // The same, for who may come back and go on after the last event it had. What of that is not
    // kept any more is counted as lost, at least one.
    std::shared_ptr<Subscription> resume(EventFilter filter, std::optional<uint64_t> after);

    // Whether somebody may listen to events of that name: else they need not be made.
    bool wanted(std::string_view name);

    void publish(Event event);
    // Wakes all subscribers, so that they look whether to stop.
    void wake();

    static constexpr size_t kBacklog = 10'000, kReplay = 1'000;
    static constexpr int64_t kReplayMs = 60'000;

  private:
    bool keeps() const;
    void forget();

    Reactor& reactor_;
    std::list<std::weak_ptr<Subscription>> subscribers_;
    std::deque<std::shared_ptr<const Event>> recent_;
    uint64_t last_id_ = 0;
    std::shared_ptr<Resumable> resumable_ = std::make_shared<Resumable>();
};

}  // namespace jobq
