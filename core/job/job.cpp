// What a job may look like: names and bounds, checked once at the edge (every enqueue, so without
// allocation when all is well), and the payload as a handler sees it.
#include "core/job/job.h"

#include <cstdint>

#include "core/base/ascii.h"
#include "core/base/crc32c.h"
#include "core/base/text.h"
#include "core/job/job_fields.h"
#include "core/json/scan.h"

namespace jobq {
namespace {

bool is_name_char(char c) {
    return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
}

bool has_control(std::string_view text) {
    for (char c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
    return false;
}

std::string shown(std::string_view value) {
    constexpr size_t kShownBytes = 80;
    std::string text = "\"" + printable(utf8_prefix(value, kShownBytes)) + "\"";
    if (value.size() > kShownBytes) text += "... (" + std::to_string(value.size()) + " bytes)";
    return text;
}

tl::unexpected<Error> bad(std::string_view field, const std::string& value, std::string_view rule) {
    return fail(ErrorCode::invalid, std::string(field) + " " + value + ": " + std::string(rule));
}

Result<> check_range(std::string_view field, int64_t value, int64_t min, int64_t max) {
    if (value >= min && value <= max) return {};
    return bad(field, std::to_string(value),
               "it must be from " + std::to_string(min) + " to " + std::to_string(max));
}

Result<> check_text(std::string_view field, std::string_view value, size_t max_bytes) {
    if (value.size() <= max_bytes && !has_control(value) && is_utf8(value)) return {};
    return bad(field, shown(value),
               "it must be at most " + std::to_string(max_bytes) +
                   " bytes of UTF-8 without control characters");
}

Result<> check_jid(std::string_view jid) {
    bool fits = jid.size() >= limits::kJidMinBytes && jid.size() <= limits::kJidBytes;
    if (fits && jid.find(' ') == jid.npos && !has_control(jid) && is_utf8(jid)) return {};
    return bad("jid", shown(jid),
               "it must be " + std::to_string(limits::kJidMinBytes) + " to " +
                   std::to_string(limits::kJidBytes) +
                   " bytes of UTF-8 without spaces and control characters");
}

// Only the outside: the protocol parsed them before they became JSON text.
Result<> check_brackets(std::string_view field, std::string_view text, char open, char close) {
    if (text.empty()) return {};
    if (text.size() >= 2 && text.front() == open && text.back() == close && is_utf8(text))
        return {};
    return bad(field, shown(text),
               open == '[' ? "it must be a JSON array" : "it must be a JSON object");
}

Result<> check_field(const JobField<std::string>& field, const std::string& value) {
    switch (field.form) {
        case TextForm::plain:
            return check_text(field.name, value, size_t(field.most));
        case TextForm::json_array:
            return check_brackets(field.name, value, '[', ']');
        case TextForm::json_object:
            return check_brackets(field.name, value, '{', '}');
        case TextForm::checked_elsewhere:
            break;
    }
    return {};
}

template <class Int>
Result<> check_field(const JobField<Int>& field, Int value) {
    return check_range(field.name, value, field.least, field.most);
}

template <class Int>
Result<> check_field(const JobField<std::optional<Int>>& field, const std::optional<Int>& value) {
    return value ? check_range(field.name, *value, field.least, field.most) : Result<>();
}

// What most fields are: said without a Result, as this is asked for every field of every job.
bool plainly_good(const JobField<std::string>&, const std::string& value) {
    return value.empty();
}

template <class Int>
bool plainly_good(const JobField<Int>& field, Int value) {
    return value >= field.least && value <= field.most;
}

template <class Int>
bool plainly_good(const JobField<std::optional<Int>>&, const std::optional<Int>& value) {
    return !value;
}

size_t text_bytes(const std::string& value) {
    return value.size();
}

template <class Number>
size_t text_bytes(const Number&) {
    return 0;
}

}  // namespace

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > limits::kNameBytes) return false;
    for (char c : text)
        if (!is_name_char(c)) return false;
    return true;
}

Result<> validate(const Job& job) {
    auto ok = check_jid(job.jid);
    if (!ok) return ok;
    if (job.type.empty()) return bad("type", "\"\"", "it must name the type of the job");
    if (!is_name(job.queue))
        return bad("queue", shown(job.queue),
                   "it must be 1 to " + std::to_string(limits::kNameBytes) +
                       " characters of A-Z, a-z, 0-9, '.', '_' and '-'");
    any_job_field([&](const auto& field) {
        if (plainly_good(field, job.*field.member)) return false;
        ok = check_field(field, job.*field.member);
        return !ok;
    });
    if (!ok) return ok;

    size_t bytes = 0;
    for_each_job_field([&](const auto& field) { bytes += text_bytes(job.*field.member); });
    bytes -= job.args.size();
    if (bytes <= limits::kEnvelopeBytes) return {};
    return fail(ErrorCode::too_large,
                "the job's fields without its args take " + std::to_string(bytes) +
                    " bytes: at most " + std::to_string(limits::kEnvelopeBytes) +
                    " are allowed; move data from custom and tags to the payload");
}

std::string_view handler_payload(const Job& job) {
    std::string_view whole = job.args, inner = trim(whole);
    if (inner.size() < 2 || inner.front() != '[' || inner.back() != ']') return whole;
    inner = trim(inner.substr(1, inner.size() - 2));
    if (inner.empty()) return whole;
    return scan::value_end(inner, 0) == inner.size() ? inner : whole;
}

int64_t enqueued_ms(const Job& job, const JobRecord& record, int64_t now_ms) {
    int64_t first =
        record.ready_ms != 0 ? record.ready_ms : std::max(job.created_ms, job.run_at_ms);
    int64_t last = record.next_at_ms <= now_ms ? std::max(first, record.next_at_ms) : first;
    return job.run_at_ms > now_ms && record.ready_ms == 0 ? 0 : last;
}

bool same_work(const Job& a, const Job& b) {
    return a.type == b.type && a.queue == b.queue && a.args == b.args && a.priority == b.priority &&
           a.custom == b.custom && a.at == b.at;
}

uint32_t content_of(const Job& job) {
    uint32_t sum = uint32_t(job.priority);
    // With their ends: no two may be told apart by where one stops alone.
    for (const std::string* text : {&job.type, &job.queue, &job.at, &job.custom, &job.args})
        sum = crc32c(crc32c(sum, *text), std::string_view("\0", 1));
    return sum == 0 ? 1 : sum;
}

Job head_of(const Job& job) {
    Job head;
    for_each_job_field([&](const auto& field) {
        if (!field.for_handler) head.*field.member = job.*field.member;
    });
    return head;
}

}  // namespace jobq
