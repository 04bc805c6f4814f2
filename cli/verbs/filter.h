// The filters that list and retry-dead share.
#pragma once

#include "cli/base/json_object.h"
#include "cli/line/args.h"

namespace jobq::cli {

// Adds type, queue, tag, error, text and since, when they were given.
Answer<> add_filter(const Args& args, JsonObject& request);

}  // namespace jobq::cli
