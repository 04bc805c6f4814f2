// Routes of jobqd itself: its state, its document, its dashboard, its profiles.
#include "core/base/limits.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/route_tables.h"

namespace jobq {
namespace {

using Kind = Param::Kind;

constexpr Param kProfileParams[] = {
    {"seconds", Kind::integer, "watch it for so long", 1, limits::kProfileMaxMs / 1000}};

constexpr Route kRoutes[] = {
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

}  // namespace

std::span<const Route> about_routes() {
    return kRoutes;
}

}  // namespace jobq
