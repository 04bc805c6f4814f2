// W3C Trace Context (https://www.w3.org/TR/trace-context/): which trace a job belongs to, and which
// span of it comes before. Read from `traceparent` by the protocol, the HTTP API and the CLI,
// written for jobs and workers.
//
// Version 00 is what is written. A later version is read as far as version 00 goes, as the
// specification asks for; of the flags only "sampled" is kept. `tracestate` is not read: it may
// take 512 bytes of each job, and no part of jobq adds to it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

using TraceId = std::array<uint8_t, 16>;  // never all zeros
using SpanId = std::array<uint8_t, 8>;    // likewise

struct TraceContext {
    TraceId trace{};
    SpanId span{};
    bool sampled = false;

    bool operator==(const TraceContext&) const = default;
};

inline constexpr size_t kTraceparentSize = 55;  // of version 00

// The error names the part that is wrong and what it should look like.
Result<TraceContext> parse_traceparent(std::string_view text);
// The same for texts of others, a header or a variable: what can't be read is no context.
std::optional<TraceContext> read_traceparent(std::string_view text);
std::string format_traceparent(const TraceContext& context);

std::string hex(const TraceId& id);
std::string hex(const SpanId& id);

}  // namespace jobq
