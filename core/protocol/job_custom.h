// What Faktory Enterprise reads in a job's `custom` object, for PUSH and the callbacks of BATCH
// NEW: unique_for, unique_until, expires_at, expires_in, track, bid (Faktory Work Protocol 2,
// section 10), jobq's durability and webhook, and a trace context; and what JOBQ ENQUEUE has of
// them among its own members.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/job/job.h"
#include "core/json/fields.h"

namespace jobq {

// Sets expires_ms, ties and traceparent from job.custom. Requires: custom is "" or a checked JSON
// object; queue, type, args and run_at_ms are set.
Result<> read_custom(Job& job, int64_t now_ms);

// JOBQ ENQUEUE's unique_for_ms and unique_until. Requires: as read_custom().
Result<> read_unique(const JsonFields& object, Job& job);

// "durability", of either.
Result<> read_durability(const JsonFields& object, Job& job);

// "webhook", of either. Whether it may go there is the broker's to say.
Result<> read_webhook(const JsonFields& object, Job& job);

// A jid is one job, unless "again" is true; when that is false this may be a repeat.
Result<> read_reuse(const JsonFields& object, Job& job);

// `custom` of a batch's callback job: whose it is by _bid, and by _pbid that batch's parent, if it
// has one. It is of no batch itself.
std::string callback_custom(std::string_view custom, std::string_view bid, std::string_view parent);

// `custom` with the context of an attempt for its worker, at the key `traceparent`: where libraries
// that carry a trace through Faktory put it.
std::string traced_custom(std::string_view custom, std::string_view traceparent);

// Whether it expires so long after it was enqueued, and not at a time of its own.
bool has_relative_expiry(std::string_view custom);

// "b-" and a name: what may be a batch's id.
bool is_bid(std::string_view text);

}  // namespace jobq
