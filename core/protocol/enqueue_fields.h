// The fields of JOBQ ENQUEUE, in the order in which a refusal lists them. jobq-protocol(7)
// describes them; parse_enqueue() reads them.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace jobq {

inline constexpr auto kEnqueueFields = std::to_array<std::string_view>({"type",
                                                                        "payload",
                                                                        "payload_text",
                                                                        "args",
                                                                        "queue",
                                                                        "priority",
                                                                        "delay_ms",
                                                                        "run_at",
                                                                        "max_attempts",
                                                                        "timeout",
                                                                        "timeout_ms",
                                                                        "jid",
                                                                        "idempotency_key",
                                                                        "unique_for_ms",
                                                                        "unique_until",
                                                                        "durability",
                                                                        "expires_ms",
                                                                        "tags",
                                                                        "traceparent",
                                                                        "webhook",
                                                                        "again"});

constexpr bool is_enqueue_field(std::string_view name) {
    return std::find(kEnqueueFields.begin(), kEnqueueFields.end(), name) != kEnqueueFields.end();
}

// "the known fields are type, payload, ..."
inline std::string enqueue_field_list() {
    std::string text;
    for (const std::string_view name : kEnqueueFields)
        text += (text.empty() ? "the known fields are " : ", ") + std::string(name);
    return text;
}

}  // namespace jobq
