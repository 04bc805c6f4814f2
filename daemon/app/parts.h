// Parts: all that the daemon is made of, each built on those before it.
#pragma once

#include <vector>

#include "daemon/app/access_part.h"
#include "daemon/app/broker_part.h"
#include "daemon/app/hints_part.h"
#include "daemon/app/listeners.h"
#include "daemon/app/live_page.h"
#include "daemon/app/metrics_page.h"
#include "daemon/app/pools_part.h"
#include "daemon/app/processes.h"
#include "daemon/app/readiness.h"
#include "daemon/app/runner_part.h"
#include "daemon/app/signals_part.h"
#include "daemon/app/traces.h"
#include "daemon/app/webhooks_part.h"
#include "daemon/server/pool_table.h"

namespace jobq {

struct Parts {
    // `places` outlives them.
    Parts(UvReactor& reactor, const Places& places, ConfigPtr first, SignalCalls calls);

    // In the order of their start.
    std::vector<Part*> in_order();

    ConfigPtr config;  // the one of now
    Metrics metrics;
    JobMetrics job_metrics;
    Events events;
    Workers workers;
    Counters counters;
    Signals signals;
    StateFiles files;
    RedisPart redis;
    DaemonStatus status;
    AccessPart access;
    StorePart store;
    Traces traces;
    BrokerPart broker;
    HintsPart hints;
    Upkeep upkeep;
    Processes processes;
    RunnerPart runner;
    WebhooksPart webhooks;
    PoolTable table;
    PoolsPart pools;
    ShownParts shown;
    MetricsPage metrics_page;
    LivePage live;
    Sessions sessions;
    Listeners listeners;
    Readiness ready;
};

}  // namespace jobq
