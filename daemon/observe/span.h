// Span: a part of a trace, as it is sent. Made by the Tracer, written by otlp.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/trace_context.h"

namespace jobq {

// The numbers are OTLP's.
enum class SpanRole : uint8_t { internal = 1, producer = 4, consumer = 5 };

using SpanValue = std::variant<int64_t, std::string>;
using SpanAttribute = std::pair<const char*, SpanValue>;  // the key is a literal

struct SpanError {
    std::string type, message, stack;  // what is empty is not sent
    int64_t at_us = 0;
};

struct Span {
    TraceId trace{};
    SpanId id{};
    std::optional<SpanId> parent;
    bool parent_is_remote = false;  // not one of jobqd's own
    SpanRole role = SpanRole::internal;
    std::string name;
    int64_t start_us = 0, end_us = 0;  // wall clock
    std::vector<SpanAttribute> attributes;
    std::optional<SpanError> error;  // then the span's status is "error"
};

}  // namespace jobq
