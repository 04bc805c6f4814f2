// A job as the JOBQ verbs show it: one JSON object, field names stable (jobq-protocol(7)).
#pragma once

#include <string>
#include <string_view>

#include "core/json/writer.h"
#include "core/store/store.h"
#include "daemon/broker/broker.h"
#include "daemon/server/why.h"

namespace jobq {

enum class JobDetail : uint8_t {
    row,      // of a list: the last error alone, without its backtrace
    plain,    // all that is small
    payload,  // and the args, when they have at most kShownArgsBytes; else their beginning
};

inline constexpr size_t kShownArgsBytes = 64 << 10;

// The state in one of four words: pending, running, completed, failed.
std::string_view status_word(State state);
// What the broker knows of why it does not run. `paused`: its queue is known to be.
WhyFacts why_facts(const JobView& view, Broker& broker, bool paused = false);
void write_job(JsonWriter& json, const JobView& view, Broker& broker, const WhyFacts& facts,
               JobDetail detail = JobDetail::plain);
void write_queues(JsonWriter& json, const std::vector<QueueInfo>& queues, int64_t now_ms);

}  // namespace jobq
