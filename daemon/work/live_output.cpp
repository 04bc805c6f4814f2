#include "daemon/work/live_output.h"

#include <algorithm>

#include "core/base/limits.h"

namespace jobq {

void LiveOutput::put(int64_t offset, std::string_view text) {
    int64_t known = size_ - offset;
    if (known >= int64_t(text.size())) return;
    if (known > 0) {
        text.remove_prefix(size_t(known));
    } else if (known < 0) {
        size_ = offset;  // a gap: pieces were lost with an earlier daemon
    }
    size_ += int64_t(text.size());
    size_t room = limits::kOutputHeadBytes - head_.size();
    if (tail_.empty() && room > 0) {
        head_.append(text.substr(0, room));
        text.remove_prefix(std::min(room, text.size()));
    }
    tail_.append(text);
    if (tail_.size() > 2 * limits::kOutputTailBytes)
        tail_.erase(0, tail_.size() - limits::kOutputTailBytes);
    changed.notify_all();
}

std::string LiveOutput::from(int64_t position) const {
    std::string out;
    if (position < int64_t(head_.size())) out = head_.substr(size_t(position));
    int64_t tail_starts = size_ - int64_t(tail_.size());
    if (position > tail_starts) {
        if (position < size_) out += tail_.substr(size_t(position - tail_starts));
    } else if (!tail_.empty()) {
        int64_t missing = tail_starts - std::max(position, int64_t(head_.size()));
        if (missing > 0) out += "\n... " + std::to_string(missing) + " bytes left out ...\n";
        out += tail_;
    }
    return out;
}

}  // namespace jobq
