// The filters that list and retry-dead share.
#pragma once

#include "cli/line/args.h"
#include "core/json/writer.h"

namespace jobq::cli {

// Adds type, queue, tag, error, text and since, when they were given.
Answer<> add_filter(const Args& args, JsonWriter& request);

}  // namespace jobq::cli
