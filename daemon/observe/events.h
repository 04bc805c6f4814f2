// Events: one bus inside jobqd. What happens to jobs is published once, as a line of JSON; `jobq
// events` and later the dashboard subscribe. A subscriber that is too slow loses the oldest and is
// told how many.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/wait.h"

namespace jobq {

struct Event {
    std::string name;  // "enqueued", "started", "finished", "retry", "dead", ...
    std::string json;  // the whole object
};

class Events {
  public:
    // Holds what was published since it was last emptied, up to kBacklog.
    class Subscription {
      public:
        Subscription(Reactor& reactor, std::vector<std::string> names)
            : wanted(std::move(names)), changed(reactor) {}

        bool wants(std::string_view name) const;

        std::vector<std::string> wanted;  // names of events; none: all

        std::deque<std::shared_ptr<const Event>> waiting;
        int64_t lost = 0;
        Signal changed;
    };

    explicit Events(Reactor& reactor) : reactor_(reactor) {}

    // To events of these names, none: of all. Ends when the pointer is dropped.
    std::shared_ptr<Subscription> subscribe(std::vector<std::string> names = {});

    // Whether somebody may listen to events of that name: else they need not be made.
    bool wanted(std::string_view name) const;

    void publish(std::string name, std::string json);
    // Wakes all subscribers, so that they look whether to stop.
    void wake();

    static constexpr size_t kBacklog = 10'000;

  private:
    Reactor& reactor_;
    std::list<std::weak_ptr<Subscription>> subscribers_;
};

}  // namespace jobq
