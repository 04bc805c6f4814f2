// A job as the JOBQ verbs show it: one JSON object, field names stable (jobq-protocol(7)).
#pragma once

#include <string>

#include "core/json/writer.h"
#include "core/store/store.h"
#include "daemon/broker/broker.h"

namespace jobq {

enum class JobDetail : uint8_t {
    row,      // of a list: the last error alone, without its backtrace
    plain,    // all that is small
    payload,  // and the args, when they have at most kShownArgsBytes; else their beginning
};

inline constexpr size_t kShownArgsBytes = 64 << 10;

// `paused`: its queue is known to be.
void write_job(JsonWriter& json, const JobView& view, Broker& broker, bool paused = false,
               JobDetail detail = JobDetail::plain);
// Why it does not run now, in a sentence; "" when there is nothing to say.
std::string why_waiting(const JobView& view, Broker& broker, bool paused);
void write_queues(JsonWriter& json, const std::vector<QueueInfo>& queues, int64_t now_ms);

}  // namespace jobq
