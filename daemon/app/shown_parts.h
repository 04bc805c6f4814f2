// ShownParts: the parts that LivePage and MetricsPage read at each look, from memory.
#pragma once

#include "daemon/app/broker_part.h"
#include "daemon/app/redis_part.h"
#include "daemon/app/upkeep.h"
#include "daemon/observe/counters.h"
#include "daemon/server/pool_table.h"
#include "daemon/server/views.h"

namespace jobq {

struct ShownParts {
    const Workers& workers;
    const Counters& counters;
    const DaemonStatus& status;
    const RedisPart& redis;
    BrokerPart& broker;
    Upkeep& upkeep;
    const PoolTable& pools;
};

}  // namespace jobq
