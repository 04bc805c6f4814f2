#include "daemon/loop/answer_head.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/text.h"

namespace jobq {
namespace {

constexpr int64_t kLongestWaitS = 365 * 86'400;

// "HTTP/1.1 204 No Content"; 0: it is no status line.
int status_of(std::string_view line) {
    const size_t space = line.find(' ');
    if (!line.starts_with("HTTP/") || space == line.npos) return 0;
    return int(parse_int(line.substr(space + 1, 3)).value_or(0));
}

std::optional<int64_t> seconds_of(std::string_view value) {
    value = trim(value);
    const bool digits = !value.empty() && std::all_of(value.begin(), value.end(), is_digit);
    if (!digits) return std::nullopt;
    return std::min(parse_int(value).value_or(kLongestWaitS), kLongestWaitS);
}

}  // namespace

void AnswerHead::add(std::string_view line) {
    if (whole_) return;
    if (const int status = status_of(line); status != 0) {
        status_ = status;
        retry_after_s_.reset();
        says_when_ = false;
    }
    constexpr std::string_view kRetryAfter = "retry-after:";
    if (ascii_lower(line.substr(0, kRetryAfter.size())) == kRetryAfter) {
        says_when_ = true;
        retry_after_s_ = seconds_of(line.substr(kRetryAfter.size()));
    }
    whole_ = has_status() && trim(line).empty();
}

std::optional<int64_t> AnswerHead::retry_after_s(int64_t date_s) const {
    if (retry_after_s_ || !says_when_ || date_s <= 0) return retry_after_s_;
    return std::min(date_s, kLongestWaitS);
}

}  // namespace jobq
