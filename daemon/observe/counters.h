// Counters: what jobqd counts of itself since its start, for STATS, INFO and /metrics.
#pragma once

#include <cstdint>

namespace jobq {

struct Counters {
    int connections = 0;        // identified ones, now
    int plain = 0;              // of them, Faktory's clients: they did not opt in
    int64_t commands = 0;       // lines and requests answered
    int64_t watchdog_woke = 0;  // queues whose workers the watchdog had to wake
};

}  // namespace jobq
