// One line of `enqueue --jsonl` as an ENQUEUE request.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq::cli {

struct BulkLine {
    std::string jid;
    std::string request;  // JSON of ENQUEUE
};

// With `type`, `line` is a payload; without, an object whose members are those of ENQUEUE, or named
// as options and with their words: core/job/job_fields.h has both. `defaults` is a JSON object of
// ENQUEUE members used where the line has none. A line without a jid gets a new one: what was sent
// twice is stored once.
Result<BulkLine> parse_bulk_line(std::string_view line, const std::string& type,
                                 const std::string& defaults);

}  // namespace jobq::cli
