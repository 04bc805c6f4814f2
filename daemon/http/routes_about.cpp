// Routes of jobqd itself: its state, its document, its dashboard, its profiles.
#include "core/base/limits.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/route_tables.h"

namespace jobq {
namespace {

using Kind = Param::Kind;

constexpr Param kProfileParams[] = {
    {"seconds", Kind::integer, "how long to profile", 1, limits::kProfileMaxMs / 1000}};

constexpr Route kAboutRoutes[] = {
    {"GET",
     "/api/v1/ping",
     Scope::none,
     "ping",
     "The version and the state of jobqd",
     {},
     "",
     "Ping",
     200,
     api::ping},
    {"GET",
     "/api/openapi.json",
     Scope::read,
     "getOpenApi",
     "This document",
     {},
     "",
     "",
     200,
     api::openapi},
    {"GET",
     "/",
     Scope::read,
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
     Scope::read,
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
     Scope::read,
     "metrics",
     "Metrics for Prometheus, see jobq-metrics(7)",
     {},
     "",
     "",
     200,
     api::metrics,
     nullptr,
     false,
     "text/plain"},
    {"GET", "/debug/pprof/profile", Scope::admin, "profileCpu", "A CPU profile of jobqd, for pprof",
     kProfileParams, "", "", 200, api::profile_cpu, nullptr, false, "application/octet-stream"},
    {"GET", "/debug/pprof/heap", Scope::admin, "profileHeap", "A heap profile of jobqd, for pprof",
     kProfileParams, "", "", 200, api::profile_heap, nullptr, false, "application/octet-stream"},
    {"GET",
     "/healthz",
     Scope::none,
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
     Scope::none,
     "readyz",
     "200 if jobs can be enqueued, otherwise 503 and the reason",
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

}  // namespace

std::span<const Route> about_routes() {
    return kAboutRoutes;
}

}  // namespace jobq
