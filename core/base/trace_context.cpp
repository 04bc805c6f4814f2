#include "core/base/trace_context.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq {
namespace {

int digit_of(char c) {
    if ('0' <= c && c <= '9') return c - '0';
    return 'a' <= c && c <= 'f' ? c - 'a' + 10 : -1;  // upper case is not allowed
}

// Two digits a byte, as many as `out` takes.
template <size_t N>
bool read_hex(std::string_view text, std::array<uint8_t, N>& out) {
    for (size_t i = 0; i < N; ++i) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = uint8_t(high * 16 + low);
    }
    return true;
}

template <size_t N>
bool is_zero(const std::array<uint8_t, N>& bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

template <size_t N>
std::string hex_of(const std::array<uint8_t, N>& bytes) {
    return hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), N));
}

// Nothing, or what is wrong.
const char* read(std::string_view text, TraceContext& context) {
    // 2 version, 32 trace id, 16 span id, 2 flags, with dashes between.
    if (text.size() < kTraceparentSize) return "it is too short";
    if (text[2] != '-' || text[35] != '-' || text[52] != '-') return "its dashes are misplaced";
    std::array<uint8_t, 1> version{}, flags{};
    if (!read_hex(text.substr(0, 2), version) || version[0] == 0xff)
        return "its version must be two digits of 0-9a-f, and not ff";
    if (version[0] == 0 && text.size() != kTraceparentSize) return "it is too long";
    if (text.size() > kTraceparentSize && text[kTraceparentSize] != '-')
        return "its flags must be two digits";
    if (!read_hex(text.substr(3, 32), context.trace) || is_zero(context.trace))
        return "its trace id must be 32 digits of 0-9a-f, not all zeros";
    if (!read_hex(text.substr(36, 16), context.span) || is_zero(context.span))
        return "its parent id must be 16 digits of 0-9a-f, not all zeros";
    if (!read_hex(text.substr(53, 2), flags)) return "its flags must be two digits of 0-9a-f";
    context.sampled = (flags[0] & 1) != 0;
    return nullptr;
}

}  // namespace

Result<TraceContext> parse_traceparent(std::string_view text) {
    TraceContext context;
    const char* wrong = read(text, context);
    if (!wrong) return context;
    return fail(ErrorCode::invalid,
                "traceparent " + json_quoted(to_utf8(printable(utf8_prefix(text, 80)))) +
                    " is not a W3C trace context (00-TRACEID-PARENTID-FLAGS): " + wrong +
                    "; omit it for a job without a trace");
}

std::optional<TraceContext> read_traceparent(std::string_view text) {
    TraceContext context;
    if (text.empty() || read(text, context)) return std::nullopt;
    return context;
}

std::string format_traceparent(const TraceContext& context) {
    std::string text = "00-";
    text.reserve(kTraceparentSize);
    text.append(hex(context.trace)).append(1, '-').append(hex(context.span));
    return text.append(context.sampled ? "-01" : "-00");
}

std::string hex(const TraceId& id) {
    return hex_of(id);
}

std::string hex(const SpanId& id) {
    return hex_of(id);
}

}  // namespace jobq
