// Spans as OTLP/HTTP JSON (https://opentelemetry.io/docs/specs/otlp/, the JSON mapping of
// ExportTraceServiceRequest), and what a collector's answer means. Called by SpanExporter. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/observe/span.h"

namespace jobq {

// Who sends: names and values, the same for all spans.
using TraceResource = std::vector<std::pair<std::string, std::string>>;

std::string otlp_request(const TraceResource& resource, std::span<const Span> spans);

// One answer of a collector, or none.
struct CollectorAnswer {
    int status = 0;                          // of HTTP; 0: none came
    std::optional<int64_t> retry_after_s{};  // the header
    std::string body{};
    std::string error{};  // why none came
};

struct OtlpVerdict {
    enum class What : uint8_t { taken, again, refused };
    What what = What::refused;
    int64_t rejected = 0;               // spans of it that were not, with `taken`
    std::optional<int64_t> after_ms{};  // no sooner, with `again`
    std::string why{};                  // for people; "" when all is well
};

OtlpVerdict judge_otlp(const CollectorAnswer& answer);

}  // namespace jobq
