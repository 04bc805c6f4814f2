#include "daemon/observe/otlp.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/version.h"
#include "core/json/document.h"
#include "core/json/view.h"

namespace jobq {
namespace {

constexpr int kStatusError = 2;
constexpr int kSampled = 0x01, kHasIsRemote = 0x100, kIsRemote = 0x200;  // Span.flags
constexpr int64_t kRetryAfterMaxS = 300;
constexpr size_t kWhyBytes = 200;

void put_text(std::string& out, const char* key, std::string_view value) {
    out.append("\"").append(key).append("\":\"");
    append_json_escaped(out, is_utf8(value) ? value : std::string_view(to_utf8(value)));
    out += '"';
}

// 64-bit integers are strings in the mapping.
void put_time(std::string& out, const char* key, int64_t us) {
    out.append(",\"").append(key).append("\":\"").append(std::to_string(us)).append("000\"");
}

void put_attribute(std::string& out, std::string_view key, const SpanValue& value) {
    if (out.back() == '}') out += ',';
    out += '{';
    put_text(out, "key", key);
    out += ",\"value\":{";
    if (const auto* number = std::get_if<int64_t>(&value))
        out.append("\"intValue\":\"").append(std::to_string(*number)).append("\"");
    else
        put_text(out, "stringValue", std::get<std::string>(value));
    out += "}}";
}

void put_error(std::string& out, const SpanError& error) {
    out += ",\"events\":[{\"name\":\"exception\"";
    put_time(out, "timeUnixNano", error.at_us);
    out += ",\"attributes\":[";
    for (const auto& [key, text] :
         {std::pair{"exception.type", &error.type}, std::pair{"exception.message", &error.message},
          std::pair{"exception.stacktrace", &error.stack}})
        if (!text->empty()) put_attribute(out, key, *text);
    out.append("]}],\"status\":{\"code\":").append(std::to_string(kStatusError));
    if (!error.message.empty()) {
        out += ',';
        put_text(out, "message", error.message);
    }
    out += '}';
}

void put_span(std::string& out, const Span& span) {
    out.append("{\"traceId\":\"").append(hex(span.trace)).append("\",\"spanId\":\"");
    out.append(hex(span.id)).append("\",");
    if (span.parent) out.append("\"parentSpanId\":\"").append(hex(*span.parent)).append("\",");
    int flags = kSampled | kHasIsRemote | (span.parent_is_remote ? kIsRemote : 0);
    out.append("\"flags\":").append(std::to_string(flags)).append(",");
    put_text(out, "name", span.name);
    out.append(",\"kind\":").append(std::to_string(int(span.role)));
    put_time(out, "startTimeUnixNano", span.start_us);
    put_time(out, "endTimeUnixNano", span.end_us);
    out += ",\"attributes\":[";
    for (const auto& [key, value] : span.attributes)
        put_attribute(out, key, value);
    out += ']';
    if (span.error) put_error(out, *span.error);
    out += '}';
}

// Of an answer of 200: how many spans were not taken, and why.
void read_partial(std::string_view body, OtlpVerdict& verdict) {
    if (!check_json(body)) return;
    const JsonView partial = JsonView(body)["partialSuccess"];
    const JsonView rejected = partial["rejectedSpans"], message = partial["errorMessage"];
    // An int64 of protobuf is a string in its JSON form, and a number for some.
    const auto count = parse_int(rejected.text());
    verdict.rejected = std::max<int64_t>(0, count.value_or(0));
    if (message.is_string()) verdict.why = utf8_prefix(printable(message.text()), kWhyBytes);
    if (verdict.rejected > 0 && verdict.why.empty()) verdict.why = "it rejected some";
}

}  // namespace

std::string otlp_request(const TraceResource& resource, std::span<const Span> spans) {
    std::string out = "{\"resourceSpans\":[{\"resource\":{\"attributes\":[";
    out.reserve(256 + spans.size() * 1024);
    for (const auto& [key, value] : resource)
        put_attribute(out, key, value);
    out += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"jobqd\",";
    put_text(out, "version", version());
    out += "},\"spans\":[";
    for (const auto& span : spans) {
        if (&span != spans.data()) out += ',';
        put_span(out, span);
    }
    return out + "]}]}]}";
}

OtlpVerdict judge_otlp(const CollectorAnswer& answer) {
    OtlpVerdict verdict;
    const int status = answer.status;
    if (status >= 200 && status < 300) {
        verdict.what = OtlpVerdict::What::taken;
        read_partial(answer.body, verdict);
        return verdict;
    }
    if (status == 0) {
        verdict.what = OtlpVerdict::What::again;
        verdict.why = answer.error;
        return verdict;
    }
    verdict.why = "it answered " + std::to_string(status);
    auto body = utf8_prefix(trim(answer.body), kWhyBytes);
    if (!body.empty()) verdict.why += ": " + to_utf8(printable(body));
    if (status != 429 && status != 502 && status != 503 && status != 504) return verdict;
    verdict.what = OtlpVerdict::What::again;
    if (answer.retry_after_s)
        verdict.after_ms = 1000 * std::clamp<int64_t>(*answer.retry_after_s, 0, kRetryAfterMaxS);
    return verdict;
}

}  // namespace jobq
