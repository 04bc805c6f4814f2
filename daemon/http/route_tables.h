// The parts of the table of routes, by noun; routes() joins them.
#pragma once

#include <span>

#include "daemon/http/routes.h"

namespace jobq {

std::span<const Route> job_routes();
std::span<const Route> work_routes();
std::span<const Route> about_routes();

}  // namespace jobq
