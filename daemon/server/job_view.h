// A job as the JOBQ verbs show it: one JSON object, field names stable (jobq-protocol(7)).
#pragma once

#include <string>

#include "core/protocol/json_writer.h"
#include "core/store/store.h"
#include "daemon/work/broker.h"

namespace jobq {

// `paused`: its queue is known to be.
void write_job(JsonWriter& json, const JobView& view, Broker& broker, bool paused = false);
// Why it does not run now, in a sentence; "" when there is nothing to say.
std::string why_waiting(const JobView& view, Broker& broker, bool paused);
void write_queues(JsonWriter& json, const std::vector<QueueInfo>& queues, int64_t now_ms);

}  // namespace jobq
