// What the handlers of verbs and routes may use: the broker, and what the daemon says of itself.
// Made once, when all of it is there.
#pragma once

#include <cstdint>
#include <string>

#include "core/async/one_answer.h"
#include "core/config/config.h"
#include "daemon/broker/broker.h"
#include "daemon/observe/counters.h"
#include "daemon/server/access.h"
#include "daemon/server/daemon_status.h"
#include "daemon/server/pool_table.h"
#include "daemon/server/views.h"

namespace jobq {

// What INFO says of queues and sets.
struct InfoFigures {
    StoreStats stats;
    std::string queues = "{}";  // JSON: sizes by name
    int64_t enqueued = 0, count = 0;
};

class LiveFeed;
class Operations;

struct ServerContext {
    Reactor& reactor;
    Broker& broker;
    DaemonStatus& status;
    Access& access;
    Counters& counters;
    PoolTable& pools;
    RunnerView& runner;
    ProcessWatch& processes;
    Operations& operations;
    LiveFeed& live;
    MetricsText& metrics;
    bool profiling = false;  // one at a time
    OneAnswer<InfoFigures> info{reactor};

    const Config& config() const { return broker.config(); }
};

}  // namespace jobq
