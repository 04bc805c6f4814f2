#include "daemon/broker/live_output.h"

#include <algorithm>

#include "core/base/limits.h"

namespace jobq {

void LiveOutput::put(int64_t offset, std::string_view text) {
    constexpr int64_t kMost = int64_t(1) << 50;  // nobody wrote so much
    if (offset < 0 || offset > kMost) return;
    const int64_t known = size_ - offset;
    if (known >= int64_t(text.size())) return;
    if (known > 0) {
        text.remove_prefix(size_t(known));
    } else if (known < 0) {
        size_ = offset;  // a gap: pieces were lost with an earlier daemon
        tail_.clear();
    }
    const bool head_is_whole = int64_t(head_.size()) == size_;
    size_ += int64_t(text.size());
    if (head_is_whole) {
        const size_t room = limits::kOutputHeadBytes - head_.size();
        head_.append(text.substr(0, room));
        text.remove_prefix(std::min(room, text.size()));
    }
    tail_.append(text);
    if (tail_.size() > 2 * limits::kOutputTailBytes)
        tail_.erase(0, tail_.size() - limits::kOutputTailBytes);
    changed.notify_all();
}

LiveOutput::Part LiveOutput::next(int64_t position) const {
    if (position < int64_t(head_.size())) return {position, head_.substr(size_t(position))};
    const int64_t at = std::max(position, size_ - int64_t(tail_.size()));
    return {at, tail_.substr(tail_.size() - size_t(std::max<int64_t>(size_ - at, 0)))};
}

}  // namespace jobq
