// Head + tail ring of a job's output; see capture.h.
// Must stay true: no input makes it hold more than head and tail.
#include "daemon/runner/capture.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq {
namespace {

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// How many bytes at the end of `text` begin a UTF-8 character that is not complete.
size_t unfinished(std::string_view text) {
    size_t most = std::min<size_t>(3, text.size());
    for (size_t n = 1; n <= most; ++n) {
        auto lead = static_cast<unsigned char>(text[text.size() - n]);
        if ((lead & 0xC0U) == 0x80U) continue;
        size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        return length > n ? n : 0;
    }
    return 0;
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

int64_t Capture::left_out() const {
    return total_ - int64_t(head_.size() + ring_.size());
}

std::string Capture::tail() const {
    return ring_.substr(ring_next_) + ring_.substr(0, ring_next_);
}

std::string Capture::text() const {
    int64_t missing = left_out();
    std::string end = tail();
    if (missing == 0) return head_ + end;
    // Whole characters on both sides of the cut, so that text stays text.
    std::string start = head_.substr(0, head_.size() - unfinished(head_));
    size_t skip = 0;
    while (skip < 3 && skip < end.size() && continues_character(end[skip]))
        ++skip;
    missing += int64_t(head_.size() - start.size() + skip);
    std::string out = std::move(start);
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += "... " + std::to_string(missing) + " bytes left out ...\n";
    out.append(end, skip);
    return out;
}

std::string Capture::last_line(size_t bytes) const {
    std::string all = ring_.empty() ? head_ : left_out() > 0 ? tail() : head_ + tail();
    std::string_view rest = all;
    while (!rest.empty()) {
        size_t at = rest.find_last_of('\n');
        auto line = trim(at == std::string_view::npos ? rest : rest.substr(at + 1));
        std::string shown = printable(to_utf8(line.substr(0, bytes)));
        if (!trim(shown).empty()) return std::string(utf8_prefix(shown, bytes));
        if (at == std::string_view::npos) break;
        rest = rest.substr(0, at);
    }
    return "";
}

std::string Capture::stretch(int64_t from, size_t max_bytes) const {
    auto head_size = int64_t(head_.size());
    if (from < head_size) return head_.substr(size_t(from), max_bytes);
    size_t skip = size_t(from - (total_ - int64_t(ring_.size())));
    std::string out;
    size_t at = ring_.empty() ? 0 : (ring_next_ + skip) % ring_.size();
    size_t wanted = std::min(max_bytes, ring_.size() - skip);
    size_t first = std::min(wanted, ring_.size() - at);
    out.append(ring_, at, first);
    out.append(ring_, 0, wanted - first);
    return out;
}

std::optional<Capture::Piece> Capture::take_piece(size_t max_bytes) {
    if (sent_ >= total_) return std::nullopt;
    auto head_size = int64_t(head_.size());
    int64_t ring_from = total_ - int64_t(ring_.size());
    if (sent_ >= head_size && sent_ < ring_from) sent_ = ring_from;
    if (sent_ >= total_) return std::nullopt;
    Piece piece{sent_, stretch(sent_, max_bytes)};
    // The rest of a character that is still to come goes with it.
    bool more_comes = !closed_ || sent_ + int64_t(piece.bytes.size()) < total_;
    size_t hold = more_comes ? unfinished(piece.bytes) : 0;
    if (hold == piece.bytes.size()) hold = closed_ ? 0 : hold;
    piece.bytes.resize(piece.bytes.size() - hold);
    if (piece.bytes.empty()) return std::nullopt;
    sent_ += int64_t(piece.bytes.size());
    return piece;
}

}  // namespace jobq
