// Is this text acceptable as JSON, a job's payload above all? Asked by enqueue before anything is
// sent, so that the message can name the line and column; jobqd checks again.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq::cli {

struct PayloadLimits {
    std::string_view what = "the payload";  // begins the message
    size_t bytes = limits::kPayloadBytes;
    int depth = limits::kJsonDepth;
    bool one_line = false;  // the message names the column alone
};

// bad_data with "line L, column C: why" (columns count bytes, from 1), or too_large. Depth of the
// text costs no stack.
Result<> check_payload(std::string_view text, const PayloadLimits& limits = {});

}  // namespace jobq::cli
