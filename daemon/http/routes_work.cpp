// Routes of what jobs run by: queues, workers, figures, events.
#include "core/base/limits.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/route_tables.h"

namespace jobq {
namespace {

using Kind = Param::Kind;

constexpr Param kCursor{"cursor", Kind::text, "next of the page before"};
constexpr Param kType{"type", Kind::text, "of this type alone"};
constexpr Param kQueue{"queue", Kind::text, "of this queue alone"};
constexpr Param kQueuesParams[] = {
    kCursor, {"limit", Kind::integer, "queues in a page", 1, limits::kListPageMax}};
constexpr Param kEventParams[] = {
    {"event", Kind::text, "of these names alone, comma separated: finished,dead"}, kQueue, kType};

constexpr Route kRoutes[] = {
    {"GET", "/api/v1/events", Scope::read, "streamEvents", "What happens, as server-sent events",
     kEventParams, "", "", 200, nullptr, api::stream_events, false, "text/event-stream"},
    {"GET",
     "/api/v1/live",
     Scope::read,
     "streamLive",
     "What the dashboard shows, once a second",
     {},
     "",
     "",
     200,
     nullptr,
     api::stream_live,
     false,
     "text/event-stream"},
    {"GET",
     "/api/v1/stats",
     Scope::read,
     "getStats",
     "Totals, queues, pools",
     {},
     "",
     "Stats",
     200,
     api::get_stats},
    {"GET", "/api/v1/queues", Scope::read, "listQueues",
     "Queues with size and latency, by name, page by page", kQueuesParams, "", "Queues", 200,
     api::get_queues},
    {"POST",
     "/api/v1/queues/{name}/pause",
     Scope::admin,
     "pauseQueue",
     "Start no more of its jobs",
     {},
     "",
     "Done",
     200,
     api::pause_queue},
    {"POST",
     "/api/v1/queues/{name}/resume",
     Scope::admin,
     "resumeQueue",
     "Start its jobs again",
     {},
     "",
     "Done",
     200,
     api::resume_queue},
    {"POST",
     "/api/v1/queues/{name}/clear",
     Scope::admin,
     "clearQueue",
     "Remove its ready jobs",
     {},
     "",
     "Cleared",
     200,
     api::clear_queue},
    {"GET",
     "/api/v1/workers",
     Scope::read,
     "listWorkers",
     "Who is connected, and what they run",
     {},
     "",
     "Workers",
     200,
     api::get_workers},
    {"POST",
     "/api/v1/workers/{id}/quiet",
     Scope::admin,
     "quietWorker",
     "Let a worker take no more jobs",
     {},
     "",
     "Done",
     200,
     api::quiet_worker},
    {"POST",
     "/api/v1/workers/{id}/stop",
     Scope::admin,
     "stopWorker",
     "Let a worker end",
     {},
     "",
     "Done",
     200,
     api::stop_worker},
    {"GET",
     "/api/v1/cron",
     Scope::read,
     "listCron",
     "Not there yet: always 501",
     {},
     "",
     "Problem",
     501,
     api::no_cron},
};

}  // namespace

std::span<const Route> work_routes() {
    return kRoutes;
}

}  // namespace jobq
