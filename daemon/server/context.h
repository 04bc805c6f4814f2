// What verb handlers may use: the broker, and what the daemon says of itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/one_answer.h"
#include "core/config/config.h"
#include "daemon/server/door.h"
#include "daemon/server/guesses.h"
#include "daemon/work/broker.h"

namespace jobq {

// A pool as `stats` shows it.
struct PoolStatus {
    std::string name, kind;
    int slots = 0, busy = 0;
    std::vector<std::string> queues;
};

// What INFO says of queues and sets.
struct InfoFigures {
    StoreStats stats;
    std::string queues = "{}";  // JSON: sizes by name
    int64_t enqueued = 0, count = 0;
};

class LiveFeed;
class Operations;

enum class DaemonState : uint8_t { starting, ready, stopping, store_down };
std::string_view name(DaemonState state);

struct ServerContext {
    Reactor& reactor;
    Broker& broker;
    int64_t started_ms = 0;  // monotonic
    int64_t pid = 0;
    std::string unix_path{}, tcp{}, http{}, state_dir{};
    std::shared_ptr<const Door> door{};
    Guesses guesses{};
    Scopes granted{};      // what a client that was let in may do: the one password gives all
    int connections = 0;   // identified ones
    int plain = 0;         // of them, Faktory's clients: they did not opt in
    int64_t commands = 0;  // lines answered since the start
    uint64_t config_version = 1;  // raised by a reload
    std::string runner_wid{};     // of the runner this daemon starts; "" none
    DaemonState state = DaemonState::starting;
    bool profiling = false;  // one at a time
    OneAnswer<InfoFigures> info{reactor};
    Operations* operations = nullptr;
    LiveFeed* live = nullptr;
    std::function<std::vector<PoolStatus>()> pools{};
    std::function<std::string()> redis_state{};    // for people: "ready", "down: ..."
    std::function<task<std::string>()> metrics{};  // Prometheus's text
    std::function<int64_t()> watchdog_woke{};
    std::function<Types(const std::string&)> types_of{};  // what that pool of the runner runs now
    std::function<bool()> replaces_runner{};              // it is to end once it runs nothing
    std::function<void(std::shared_ptr<Worker>, int64_t pid)> watch_process{};

    // Who asks, by a Unix socket, or by TCP or HTTP.
    Caller caller(bool is_unix) const {
        return {!is_unix && (!door || !door->asks_password()), granted};
    }

    const Config& config() const { return broker.config(); }

    // Whether jobs can be enqueued now; else one word for programs, and why for people.
    struct NotReady {
        std::string word, why;
    };

    std::optional<NotReady> not_ready() const;
};

}  // namespace jobq
