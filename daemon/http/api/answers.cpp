// What the handlers share: answers of actions as responses, sealed cursors, where JSON is wrong.
#include "core/base/base64.h"
#include "core/base/crc32c.h"
#include "core/base/text.h"
#include "core/base/trace_context.h"
#include "core/json/fields.h"
#include "core/json/place.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

namespace jobq::api {
namespace {

constexpr int kAnyDepth = limits::kJsonDepth + 4;

std::string seal_of(std::string_view list, std::string_view cursor) {
    uint32_t sum = crc32c(crc32c(0, list), cursor);
    return hex({reinterpret_cast<const char*>(&sum), sizeof sum});
}

}  // namespace

HttpResponse respond(const verbs::Answer& answer, int status) {
    if (!answer) return problem(answer.error());
    HttpResponse response;
    response.status = status;
    response.body = *answer + "\n";
    return response;
}

verbs::Answer the_only(verbs::Answer answer) {
    if (!answer) return answer;
    auto whole = JsonFields::parse(*answer, false, kAnyDepth);
    const JsonField* jobs = whole ? whole->find("jobs") : nullptr;
    if (!jobs) return fail(ErrorCode::internal, "an answer without jobs");
    std::string one(json_array(jobs->raw).front().raw);
    auto job = JsonFields::parse(one, false, kAnyDepth);
    if (!job) return tl::unexpected<Error>(job.error());
    auto code = job->string("error"), text = job->string("text"), jid = job->string("jid");
    if (!code || !*code) return one;
    if (text && *text) return fail(error_code_from_name(**code), **text);
    return fail(error_code_from_name(**code), "job " + jid->value_or("") + " does not exist");
}

std::string trace_of(const HttpRequest& request) {
    const std::string* given = request.header("traceparent");
    if (!given || request.count("traceparent") > 1) return {};
    auto context = read_traceparent(trim(*given));
    return context ? format_traceparent(*context) : std::string();
}

std::string with_job_id(const std::string& jid, const std::string& answer) {
    return "{\"job_id\":" + json_quoted(jid) + "," + answer.substr(1);
}

Error with_place(Error error, std::string_view text) {
    auto trouble = json_trouble(text, limits::kJsonDepth + 1);
    if (!trouble || trouble->too_deep) return error;
    return {ErrorCode::bad_data, "the body is not JSON: " + json_place(text, trouble->byte, false) +
                                     ": " + trouble->why};
}

HttpResponse refused_body(const Error& error, std::string_view body) {
    const auto trouble = json_trouble(body, limits::kJsonDepth + 1);
    if (trouble && !trouble->too_deep) return problem(with_place(error, body), 400);
    const bool meant = error.code == ErrorCode::invalid || error.code == ErrorCode::bad_data;
    return problem(error, meant ? 422 : 0);
}

// URL-safe base 64 without padding: it needs no escape.
std::string seal_cursor(std::string_view list, std::string_view cursor) {
    if (cursor.empty()) return {};
    std::string out = base64_encode(seal_of(list, cursor) + std::string(cursor));
    for (char& c : out) {
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    while (out.ends_with('='))
        out.pop_back();
    return out;
}

Result<std::string> open_cursor(std::string_view list, std::string_view sealed) {
    if (sealed.empty()) return std::string();
    std::string text(sealed);
    for (char& c : text) {
        if (c == '-') c = '+';
        if (c == '_') c = '/';
    }
    text.append((4 - text.size() % 4) % 4, '=');
    auto bytes = base64_decode(text);
    constexpr size_t kSeal = 2 * sizeof(uint32_t);
    std::string cursor = bytes && bytes->size() > kSeal ? bytes->substr(kSeal) : "";
    if (cursor.empty() || bytes->substr(0, kSeal) != seal_of(list, cursor))
        return fail(ErrorCode::invalid,
                    "the cursor does not belong to this list; use \"next\" of the previous page "
                    "with the same state and queue, or no cursor");
    return cursor;
}

namespace {

// It is the last member, so this is where its string begins; npos: there is none.
size_t place_of_next(const std::string& answer) {
    constexpr std::string_view kNext = "\"next\":";
    const size_t at = answer.rfind(kNext);
    return at == std::string::npos ? at : at + kNext.size();
}

}  // namespace

std::string next_of(const std::string& answer) {
    const size_t at = place_of_next(answer);
    if (at == std::string::npos) return {};
    std::string_view raw = std::string_view(answer).substr(at);
    raw.remove_suffix(1);
    return json_string(raw);
}

std::string with_next(const std::string& answer, std::string_view next) {
    const size_t at = place_of_next(answer);
    return at == std::string::npos ? answer : answer.substr(0, at) + json_quoted(next) + "}";
}

verbs::Answer with_sealed_next(verbs::Answer answer, std::string_view list) {
    if (!answer) return answer;
    return with_next(*answer, seal_cursor(list, next_of(*answer)));
}

}  // namespace jobq::api
