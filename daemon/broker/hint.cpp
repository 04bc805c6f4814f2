#include "daemon/broker/hint.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/store/keys.h"

namespace jobq {
namespace {

constexpr int64_t kMostJobs = 10'000;

}  // namespace

Hint read_hint(std::string_view text) {
    Hint hint;
    if (text.empty()) return hint;
    if (text[0] == kJobHint) {
        const auto words = split(text.substr(1), ' ');
        hint.kind = Hint::Kind::jobs;
        hint.cancels = words[0] == kCancelHint;
        for (size_t i = 1; i < words.size(); ++i)
            hint.jids.emplace_back(words[i]);
        return hint;
    }
    hint.kind = Hint::Kind::queue;
    const size_t space = text.find(' ');
    hint.queue = text.substr(0, space);
    if (space == text.npos) return hint;
    const std::string_view rest = text.substr(space + 1);
    const std::string_view number = rest.substr(0, rest.find(' '));
    if (number.size() < rest.size()) hint.type = rest.substr(number.size() + 1);
    hint.count = int(std::clamp<int64_t>(parse_int(number).value_or(1), 1, kMostJobs));
    return hint;
}

}  // namespace jobq
