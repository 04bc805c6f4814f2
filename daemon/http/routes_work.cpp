// Routes of what jobs run by: queues, workers, figures, events.
#include "core/base/limits.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/route_tables.h"

namespace jobq {
namespace {

using Kind = Param::Kind;

constexpr Param kQueuesParams[] = {
    kCursor, {"limit", Kind::integer, "queues per page", 1, limits::kListPageMax}};
constexpr Param kEventParams[] = {
    {"event", Kind::text, "only these names, comma separated: finished,dead"}, kQueue, kType};

constexpr Route kWorkRoutes[] = {
    {"GET", "/api/v1/events", Scope::read, "streamEvents", "A stream of server-sent events",
     kEventParams, "", "", 200, nullptr, api::stream_events, false, "text/event-stream"},
    {"GET",
     "/api/v1/live",
     Scope::read,
     "streamLive",
     "The data of the dashboard, once per second",
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
     "Totals, queues and pools",
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
     "Pause a queue: start no more of its jobs",
     {},
     "",
     "Done",
     200,
     api::pause_queue},
    {"POST",
     "/api/v1/queues/{name}/resume",
     Scope::admin,
     "resumeQueue",
     "Resume a paused queue",
     {},
     "",
     "Done",
     200,
     api::resume_queue},
    {"POST",
     "/api/v1/queues/{name}/clear",
     Scope::admin,
     "clearQueue",
     "Remove the ready jobs of a queue",
     {},
     "",
     "Cleared",
     200,
     api::clear_queue},
    {"GET",
     "/api/v1/workers",
     Scope::read,
     "listWorkers",
     "The connected workers and the jobs they run",
     {},
     "",
     "Workers",
     200,
     api::get_workers},
    {"POST",
     "/api/v1/workers/{id}/quiet",
     Scope::admin,
     "quietWorker",
     "Tell a worker to take no more jobs",
     {},
     "",
     "Done",
     200,
     api::quiet_worker},
    {"POST",
     "/api/v1/workers/{id}/stop",
     Scope::admin,
     "stopWorker",
     "Tell a worker to stop",
     {},
     "",
     "Done",
     200,
     api::stop_worker},
    {"GET",
     "/api/v1/cron",
     Scope::read,
     "listCron",
     "Not available yet: always 501",
     {},
     "",
     "Problem",
     501,
     api::no_cron},
};

}  // namespace

std::span<const Route> work_routes() {
    return kWorkRoutes;
}

}  // namespace jobq
