#include "daemon/observe/job_events.h"

#include "core/base/time.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

// When the attempt ran, to the microsecond where the one who ran it said it so.
std::string exact_time(int64_t us, int64_t ms) {
    return format_rfc3339_us(us != 0 ? us : ms * 1000);
}

}  // namespace

JsonWriter JobEvents::begin(std::string_view event, const Job& job) const {
    JsonWriter json;
    json.begin_object().field("time", format_rfc3339(reactor_.wall_ms())).field("event", event);
    json.field("jid", job.jid).field("type", job.type).field("queue", job.queue);
    return json;
}

void JobEvents::publish(std::string_view event, const Job& job, JsonWriter json) {
    json.end_object();
    events_.publish({std::string(event), json.take(), job.queue, job.type});
}

void JobEvents::enqueued(const EnqueuedJob& what) {
    if (!what.whole || !events_.wanted("enqueued")) return;
    JsonWriter json = begin("enqueued", what.job);
    json.field("state", name(what.state));
    publish("enqueued", what.job, std::move(json));
}

void JobEvents::started(const StartedJob& what) {
    if (!events_.wanted("started")) return;
    JsonWriter json = begin("started", what.job);
    json.field("attempt", current_attempt(what.record)).field("worker", what.worker);
    publish("started", what.job, std::move(json));
}

void JobEvents::ended(const EndedJob& what) {
    const std::string_view event = info(what.move).event;
    if (!events_.wanted(event)) return;
    const RunReport& report = what.report;
    JsonWriter json = begin(event, what.job);
    json.field("attempt", current_attempt(what.record)).field("outcome", name(report.outcome));
    json.field("started_at", exact_time(report.started_us, what.began_ms()));
    json.field("ended_at", exact_time(report.ended_us, report.ended_ms));
    json.field("duration_ms", what.ran_ms());
    json.field("worker", what.worker);
    publish(event, what.job, std::move(json));
}

void JobEvents::buried(const BuriedJob& what) {
    if (!events_.wanted("dead")) return;
    JsonWriter json = begin("dead", what.job);
    json.field("reason", what.reason).field("attempt", current_attempt(what.record));
    json.field("message", what.why);
    publish("dead", what.job, std::move(json));
}

void JobEvents::expired(const Job& job) {
    if (events_.wanted("expired")) publish("expired", job, begin("expired", job));
}

void JobEvents::cancelled(const CancelledJob& what) {
    // One that runs ends later, and says so then.
    if (what.was == State::running || !events_.wanted("cancelled")) return;
    Job head;
    head.jid = what.jid;
    head.type = what.type;
    head.queue = what.queue;
    publish("cancelled", head, begin("cancelled", head));
}

void JobEvents::paused(const std::string& queue, bool paused) {
    const std::string_view event = paused ? "queue_paused" : "queue_resumed";
    if (!events_.wanted(event)) return;
    Job none;
    none.queue = queue;
    publish(event, none, begin(event, none));
}

}  // namespace jobq
