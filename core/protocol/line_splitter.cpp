#include "core/protocol/line_splitter.h"

#include <algorithm>

#include "core/protocol/verbs.h"

namespace jobq {
namespace {

constexpr size_t kLongestVerb = 32;  // with "JOBQ " and the space behind it

// The word at the beginning of `text`, which is cut off with the space behind it; "" without one.
std::string_view take_word(std::string_view& text) {
    const size_t space = text.find(' ');
    if (space == text.npos) return {};
    std::string_view word = text.substr(0, space);
    text.remove_prefix(space + 1);
    return word;
}

}  // namespace

size_t LineSplitter::limit() const {
    std::string_view start = rest().substr(0, kLongestVerb);
    std::string_view word = take_word(start);
    const bool jobq = word == "JOBQ";
    const VerbInfo* verb = find_verb(jobq ? take_word(start) : word, jobq);
    return verb && verb->has(kBulkLine) ? limits_.bulk : limits_.line;
}

LineSplitter::Next LineSplitter::next(std::string_view& line) {
    size_t end = buffer_.find('\n', std::max(scanned_, used_));
    if (end == std::string::npos) {
        scanned_ = buffer_.size();
        // One byte over: the CR of an end that is not here yet.
        bool over = scanned_ - used_ > limits_.line && scanned_ - used_ > limit() + 1;
        return over ? Next::too_long : Next::more;
    }
    size_t length = end - used_;
    if (length > 0 && buffer_[end - 1] == '\r') --length;
    if (length > limits_.line && length > limit()) {
        scanned_ = end;
        return Next::too_long;
    }
    line = rest().substr(0, length);
    used_ = scanned_ = end + 1;
    return Next::line;
}

bool LineSplitter::next_with(std::string_view prefix, std::string_view& line) {
    return rest().starts_with(prefix) && next(line) == Next::line;
}

void LineSplitter::compact() {
    buffer_.erase(0, used_);
    scanned_ -= std::min(scanned_, used_);
    used_ = 0;
}

}  // namespace jobq
