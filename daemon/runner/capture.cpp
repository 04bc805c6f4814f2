// Head and tail ring of one stream; see capture.h.
// Must stay true: no input makes it hold more than head and tail.
#include "daemon/runner/capture.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq {
namespace {

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

void Capture::append(std::string_view bytes) {
    total_ += int64_t(bytes.size());
    size_t room = std::min(bytes.size(), head_max_ - head_.size());
    head_.append(bytes.substr(0, room));
    bytes.remove_prefix(room);
    if (tail_max_ == 0) return;
    if (bytes.size() > tail_max_) bytes.remove_prefix(bytes.size() - tail_max_);
    size_t grow = std::min(bytes.size(), tail_max_ - ring_.size());
    ring_.append(bytes.substr(0, grow));
    bytes.remove_prefix(grow);
    while (!bytes.empty()) {
        size_t part = std::min(bytes.size(), tail_max_ - ring_next_);
        std::copy_n(bytes.data(), part, ring_.data() + ring_next_);
        ring_next_ = (ring_next_ + part) % tail_max_;
        bytes.remove_prefix(part);
    }
}

std::string Capture::tail() const {
    return ring_.substr(ring_next_) + ring_.substr(0, ring_next_);
}

Capture::Kept Capture::kept() const {
    const int64_t missing = left_out();
    const std::string end = tail();
    if (missing == 0) return {head_ + end};
    // Whole characters on both sides of the cut, so that text stays text. Of other bytes this
    // leaves out three more on each side at most.
    const size_t head = head_.size() - unfinished_utf8(head_);
    size_t skip = 0;
    while (skip < 3 && skip < end.size() && continues_character(end[skip]))
        ++skip;
    Kept kept{head_.substr(0, head)};
    kept.bytes.append(end, skip);
    kept.cut = {int64_t(head), missing + int64_t(head_.size() - head + skip)};
    return kept;
}

int64_t Capture::kept_between(int64_t from, int64_t to) const {
    const int64_t in_head = std::max<int64_t>(0, std::min(to, int64_t(head_.size())) - from);
    return in_head + std::max<int64_t>(0, to - std::max(from, ring_from()));
}

std::string Capture::last_line(size_t bytes) const {
    std::string all = ring_.empty() ? head_ : left_out() > 0 ? tail() : head_ + tail();
    std::string_view rest = all;
    while (!rest.empty()) {
        // A progress bar ends its lines by going back to their beginning.
        size_t at = rest.find_last_of("\r\n");
        auto line = trim(at == std::string_view::npos ? rest : rest.substr(at + 1));
        std::string shown = printable(to_utf8(line.substr(0, bytes)));
        if (!trim(shown).empty()) return std::string(utf8_prefix(shown, bytes));
        if (at == std::string_view::npos) break;
        rest = rest.substr(0, at);
    }
    return "";
}

}  // namespace jobq
