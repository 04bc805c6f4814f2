// Routes of jobs, one or many: jobs, dead, operations.
#include "core/base/limits.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/route_tables.h"

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
constexpr Param kGroupParams[] = {kQueue, kType, kTag, kError, kText, kGroup, kSince};
constexpr Param kLogParams[] = {
    {"follow", Kind::flag, "go on while it runs"},
    {"stdout", Kind::flag, "what it wrote to its standard output too"},
    {"attempt", Kind::integer, "of this attempt alone", 1, limits::kAttemptsMax},
    {"format", Kind::text, "jsonl, or text: the bare output"}};

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
     "/api/v1/jobs/{id}/release",
     "releaseJob",
     "End the lease of a running job whose worker is gone",
     {},
     "",
     "Outcome",
     200,
     api::release_job},
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
};

}  // namespace

std::span<const Route> job_routes() {
    return kRoutes;
}

}  // namespace jobq
