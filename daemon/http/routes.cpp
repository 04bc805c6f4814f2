#include "daemon/http/routes.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/guard.h"

namespace jobq {
namespace {

using Kind = Param::Kind;

constexpr Param kCursor{"cursor", Kind::text, "next of the page before"};
constexpr Param kLimit{"limit", Kind::integer, "jobs in a page", 1, limits::kListPageMax};
constexpr Param kType{"type", Kind::text, "of this type alone"};
constexpr Param kQueue{"queue", Kind::text, "of this queue alone"};
constexpr Param kTag{"tag", Kind::text, "with this tag alone"};
constexpr Param kError{"error", Kind::text, "whose last error holds this text"};
constexpr Param kText{"text", Kind::text, "whose payload or tags, or result, hold this text"};
constexpr Param kGroup{"group", Kind::text,
                       "dead or retrying of this cause: see /api/v1/dead/groups"};
constexpr Param kNewest{"newest", Kind::flag, "scheduled, retrying and dead ones from the last on"};
constexpr Param kSince{"since", Kind::text, "created, or died, since this time (RFC 3339)"};

constexpr Param kListParams[] = {
    {"state", Kind::text, "ready, scheduled, retrying, running, dead, succeeded, ..."},
    kQueue,
    kType,
    kTag,
    kError,
    kText,
    kGroup,
    kSince,
    kNewest,
    kCursor,
    kLimit};
constexpr Param kDeadParams[] = {kQueue, kType,  kTag,    kError,  kText,
                                 kGroup, kSince, kNewest, kCursor, kLimit};
constexpr Param kQueuesParams[] = {
    kCursor, {"limit", Kind::integer, "queues in a page", 1, limits::kListPageMax}};
constexpr Param kGroupParams[] = {kQueue, kType, kTag, kError, kText, kGroup, kSince};
constexpr Param kLogParams[] = {
    {"follow", Kind::flag, "go on while it runs"},
    {"stdout", Kind::flag, "what it wrote to its standard output too"},
    {"attempt", Kind::integer, "of this attempt alone", 1, limits::kAttemptsMax},
    {"format", Kind::text, "jsonl, or text: the bare output"}};

constexpr Param kEventParams[] = {
    {"event", Kind::text, "of these names alone, comma separated: finished,dead"}, kQueue, kType};

constexpr Param kProfileParams[] = {
    {"seconds", Kind::integer, "watch it for so long", 1, limits::kProfileMaxMs / 1000}};

constexpr Route kRoutes[] = {
    {"POST",
     "/api/v1/jobs",
     "enqueueJob",
     "Enqueue one job",
     {},
     "NewJob",
     "Enqueued",
     201,
     api::enqueue},
    {"POST",
     "/api/v1/jobs:bulk",
     "enqueueJobs",
     "Enqueue one job a line",
     {},
     "NewJob",
     "BulkResult",
     200,
     nullptr,
     api::enqueue_bulk,
     true,
     "application/jsonl"},
    {"GET", "/api/v1/jobs", "listJobs", "Jobs of a state, page by page", kListParams, "", "JobPage",
     200, api::list_jobs},
    {"GET",
     "/api/v1/jobs/{id}",
     "getJob",
     "All that is known of one job",
     {},
     "",
     "Job",
     200,
     api::get_job},
    {"DELETE",
     "/api/v1/jobs/{id}",
     "cancelJob",
     "Stop a job, or keep it from starting",
     {},
     "",
     "Outcome",
     200,
     api::cancel_job},
    {"POST",
     "/api/v1/jobs/{id}/retry",
     "retryJob",
     "Make a dead or waiting job ready now",
     {},
     "",
     "Outcome",
     200,
     api::retry_job},
    {"POST",
     "/api/v1/jobs/{id}/remove",
     "removeJob",
     "Forget a job that does not run",
     {},
     "",
     "Outcome",
     200,
     api::remove_job},
    {"GET",
     "/api/v1/jobs/{id}/payload",
     "getPayload",
     "What a job that is not over was given, as it is",
     {},
     "",
     "",
     200,
     api::get_payload},
    {"GET",
     "/api/v1/jobs/{id}/result",
     "getResult",
     "What a job returned",
     {},
     "",
     "JobResult",
     200,
     api::get_result},
    {"GET", "/api/v1/jobs/{id}/log", "getLog", "What a job wrote", kLogParams, "", "LogLine", 200,
     nullptr, api::get_log, false, "application/jsonl"},
    {"GET", "/api/v1/dead", "listDead", "Dead jobs, page by page", kDeadParams, "", "JobPage", 200,
     api::list_dead},
    {"POST",
     "/api/v1/dead/retry",
     "retryDead",
     "Retry the dead that match, a page at a time",
     {},
     "DeadFilter",
     "DeadRetried",
     200,
     api::retry_dead},
    {"GET", "/api/v1/dead/groups", "listDeadGroups", "The dead by type and last error",
     kGroupParams, "", "DeadGroups", 200, api::get_dead_groups},
    {"POST",
     "/api/v1/operations",
     "startOperation",
     "Retry, cancel or remove all jobs that match",
     {},
     "NewOperation",
     "Operation",
     202,
     api::start_operation},
    {"GET",
     "/api/v1/operations",
     "listOperations",
     "Operations that run, and the last that ended",
     {},
     "",
     "Operations",
     200,
     api::list_operations},
    {"GET",
     "/api/v1/operations/{id}",
     "getOperation",
     "How far an operation is",
     {},
     "",
     "Operation",
     200,
     api::get_operation},
    {"DELETE",
     "/api/v1/operations/{id}",
     "stopOperation",
     "Leave the rest of an operation out",
     {},
     "",
     "Operation",
     200,
     api::stop_operation},
    {"GET", "/api/v1/events", "streamEvents", "What happens, as server-sent events", kEventParams,
     "", "", 200, nullptr, api::stream_events, false, "text/event-stream"},
    {"GET",
     "/api/v1/live",
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
     "getStats",
     "Totals, queues, pools",
     {},
     "",
     "Stats",
     200,
     api::get_stats},
    {"GET", "/api/v1/queues", "listQueues", "Queues with size and latency, by name, page by page",
     kQueuesParams, "", "Queues", 200, api::get_queues},
    {"POST",
     "/api/v1/queues/{name}/pause",
     "pauseQueue",
     "Start no more of its jobs",
     {},
     "",
     "Done",
     200,
     api::pause_queue},
    {"POST",
     "/api/v1/queues/{name}/resume",
     "resumeQueue",
     "Start its jobs again",
     {},
     "",
     "Done",
     200,
     api::resume_queue},
    {"POST",
     "/api/v1/queues/{name}/clear",
     "clearQueue",
     "Remove its ready jobs",
     {},
     "",
     "Cleared",
     200,
     api::clear_queue},
    {"GET",
     "/api/v1/workers",
     "listWorkers",
     "Who is connected, and what they run",
     {},
     "",
     "Workers",
     200,
     api::get_workers},
    {"POST",
     "/api/v1/workers/{id}/quiet",
     "quietWorker",
     "Let a worker take no more jobs",
     {},
     "",
     "Done",
     200,
     api::quiet_worker},
    {"POST",
     "/api/v1/workers/{id}/stop",
     "stopWorker",
     "Let a worker end",
     {},
     "",
     "Done",
     200,
     api::stop_worker},
    {"GET",
     "/api/v1/cron",
     "listCron",
     "Not there yet: always 501",
     {},
     "",
     "Problem",
     501,
     api::no_cron},
    {"GET",
     "/api/v1/ping",
     "ping",
     "Which jobqd this is, and its state",
     {},
     "",
     "Ping",
     200,
     api::ping},
    {"GET", "/api/openapi.json", "getOpenApi", "This document", {}, "", "", 200, api::openapi},
    {"GET",
     "/",
     "index",
     "The dashboard, for browsers",
     {},
     "",
     "",
     200,
     api::page,
     nullptr,
     false,
     "text/html"},
    {"GET",
     "/assets/{name}",
     "getAsset",
     "A file of the dashboard",
     {},
     "",
     "",
     200,
     api::asset,
     nullptr,
     false,
     "text/javascript"},
    {"GET",
     "/metrics",
     "metrics",
     "Figures for Prometheus, see jobq-metrics(7)",
     {},
     "",
     "",
     200,
     api::metrics,
     nullptr,
     false,
     "text/plain"},
    {"GET", "/debug/pprof/profile", "profileCpu", "Where jobqd spends CPU time, for pprof",
     kProfileParams, "", "", 200, api::profile_cpu, nullptr, false, "application/octet-stream"},
    {"GET", "/debug/pprof/heap", "profileHeap", "Where jobqd allocates memory it keeps, for pprof",
     kProfileParams, "", "", 200, api::profile_heap, nullptr, false, "application/octet-stream"},
    {"GET",
     "/healthz",
     "healthz",
     "200 as long as jobqd answers",
     {},
     "",
     "Health",
     200,
     api::healthz,
     nullptr,
     false,
     "application/json",
     true},
    {"GET",
     "/readyz",
     "readyz",
     "200 when jobs can be enqueued, else 503 and the reason",
     {},
     "",
     "Health",
     200,
     api::readyz,
     nullptr,
     false,
     "application/json",
     true},
};

// Nothing: it is not this template. Else what stands for its names, as it was sent.
std::optional<std::vector<std::string_view>> match(std::string_view pattern,
                                                   std::string_view path) {
    std::vector<std::string_view> taken;
    while (true) {
        size_t brace = pattern.find('{');
        std::string_view plain = pattern.substr(0, brace);
        if (brace == pattern.npos) {
            if (plain != path) return std::nullopt;
            return taken;
        }
        if (!path.starts_with(plain)) return std::nullopt;
        path.remove_prefix(plain.size());
        size_t end = std::min(path.find('/'), path.size());
        if (end == 0) return std::nullopt;
        taken.push_back(path.substr(0, end));
        path.remove_prefix(end);
        pattern.remove_prefix(pattern.find('}') + 1);
    }
}

}  // namespace

std::span<const Route> routes() {
    return kRoutes;
}

Result<Found> find_route(std::string_view method, std::string_view path) {
    if (method == "HEAD") method = "GET";
    Found found;
    for (const auto& route : kRoutes) {
        auto taken = match(route.path, path);
        if (!taken) continue;
        found.allow += (found.allow.empty() ? "" : ", ") + std::string(route.method);
        if (route.method == "GET") found.allow += ", HEAD";
        if (route.method != method) continue;
        for (std::string_view one : *taken) {
            auto text = percent_decoded(one, false);
            if (!text) return tl::unexpected<Error>(text.error());
            found.path.push_back(std::move(*text));
        }
        found.route = &route;
        return found;
    }
    return found;
}

}  // namespace jobq
