#include "daemon/broker/live_output.h"

#include <algorithm>
#include <utility>

#include "core/base/limits.h"

namespace jobq {
namespace {

constexpr int64_t kPieceCost = 64;           // of memory, beside its bytes
constexpr size_t kJoinBytes = 4 << 10;       // shorter pieces of one stream become one,
constexpr int64_t kJoinMs = 10;              // with the stamp of the first
constexpr int64_t kMost = int64_t(1) << 50;  // nobody wrote so much
constexpr int64_t kHeadBytes = limits::kOutputHeadBytes * 2;

}  // namespace

int64_t LiveOutput::Entry::end() const {
    return place + int64_t(piece.bytes.size()) + kPieceCost;
}

void LiveOutput::put(OutputPiece piece, int64_t keep) {
    if (piece.offset < 0 || piece.offset > kMost) return;
    int64_t& size = sizes_[size_t(piece.stream)];
    const int64_t known = size - piece.offset;
    if (known >= int64_t(piece.bytes.size())) return;
    if (known > 0) {
        piece.bytes.erase(0, size_t(known));
        piece.offset = size;
    }
    size = piece.end();
    const bool in_head = tail_.empty() && end_ < kHeadBytes;
    std::deque<Entry>& entries = in_head ? head_ : tail_;
    Entry* last = entries.empty() ? nullptr : &entries.back();
    if (last && last->piece.stream == piece.stream && last->piece.end() == piece.offset &&
        last->piece.bytes.size() < kJoinBytes && piece.bytes.size() < kJoinBytes &&
        piece.at_ms - last->piece.at_ms < kJoinMs) {
        // Who has all of it goes on behind the bytes, not behind the cost.
        last->piece.bytes += piece.bytes;
        end_ = last->end();
    } else {
        entries.push_back({end_, std::move(piece)});
        end_ = entries.back().end();
    }
    if (in_head) head_end_ = end_;
    while (tail_.size() > 1 && end_ - tail_.front().place > keep)
        tail_.pop_front();
    changed.notify_all();
}

const LiveOutput::Entry* LiveOutput::find(const std::deque<Entry>& entries, int64_t place) {
    const auto behind = [](int64_t at, const Entry& entry) {
        return at < entry.place + int64_t(entry.piece.bytes.size());
    };
    const auto found = std::upper_bound(entries.begin(), entries.end(), place, behind);
    return found == entries.end() ? nullptr : &*found;
}

std::optional<OutputPiece> LiveOutput::next(int64_t& place) const {
    const Entry* entry = find(head_, place);
    if (entry == nullptr) entry = find(tail_, place);
    if (entry == nullptr) return std::nullopt;
    const size_t skip = size_t(std::max<int64_t>(0, place - entry->place));
    OutputPiece piece = entry->piece;
    piece.bytes.erase(0, skip);
    piece.offset += int64_t(skip);
    place = entry->place + int64_t(entry->piece.bytes.size());
    return piece;
}

int64_t LiveOutput::unread(int64_t place) const {
    const int64_t in_head = std::max<int64_t>(0, head_end_ - place);
    if (tail_.empty()) return in_head > kPieceCost ? in_head : 0;
    const int64_t in_tail = end_ - std::max(place, tail_.front().place);
    const int64_t all = in_head + std::max<int64_t>(0, in_tail);
    return all > kPieceCost ? all : 0;
}

}  // namespace jobq
