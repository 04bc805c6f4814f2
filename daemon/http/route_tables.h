// The parts of the table of routes, by noun; routes() joins them.
#pragma once

#include <span>

#include "daemon/http/routes.h"

namespace jobq {

// Parameters that several routes have.
constexpr Param kCursor{"cursor", Param::Kind::text, "next of the previous page"};
constexpr Param kType{"type", Param::Kind::text, "only jobs of this type"};
constexpr Param kQueue{"queue", Param::Kind::text, "only jobs of this queue"};

std::span<const Route> job_routes();
std::span<const Route> work_routes();
std::span<const Route> about_routes();

}  // namespace jobq
