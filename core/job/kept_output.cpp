#include "core/job/kept_output.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"

namespace jobq {
namespace {

// The kept bytes of one stream, given away from the front.
class Rest {
  public:
    Rest(OutputStream stream, std::string_view bytes, LeftOut cut)
        : stream_(stream), bytes_(bytes), cut_(cut) {}

    bool empty() const { return bytes_.empty(); }

    // The next so many; a piece ends where bytes were left out.
    void give(int64_t count, int64_t at_ms, std::vector<OutputPiece>& to) {
        while (count > 0 && !bytes_.empty()) {
            if (cut_ && at_ == cut_.at) at_ += std::exchange(cut_, LeftOut()).bytes;
            int64_t most = std::min(count, int64_t(bytes_.size()));
            if (cut_ && cut_.at > at_) most = std::min(most, cut_.at - at_);
            to.push_back({stream_, at_, at_ms, std::string(bytes_.substr(0, size_t(most)))});
            bytes_.remove_prefix(size_t(most));
            at_ += most;
            count -= most;
        }
    }

  private:
    OutputStream stream_;
    std::string_view bytes_;
    LeftOut cut_;
    int64_t at_ = 0;
};

}  // namespace

std::string write_order(const std::vector<OutputMark>& marks) {
    std::string text;
    int64_t before = 0;
    for (const auto& mark : marks) {
        if (text.empty()) {
            text = std::to_string(mark.at_ms);
            before = mark.at_ms;
        }
        text += mark.stream == OutputStream::out ? ",o" : ",e";
        text += std::to_string(mark.bytes);
        if (mark.at_ms > before) text += "+" + std::to_string(mark.at_ms - before);
        before = std::max(before, mark.at_ms);
    }
    return text;
}

std::vector<OutputMark> read_order(std::string_view text) {
    std::vector<OutputMark> marks;
    size_t comma = text.find(',');
    auto first = parse_int(text.substr(0, comma));
    if (!first) return marks;
    int64_t at_ms = *first;
    while (comma != std::string_view::npos) {
        text.remove_prefix(comma + 1);
        comma = text.find(',');
        std::string_view word = text.substr(0, comma);
        if (word.empty() || (word[0] != 'o' && word[0] != 'e')) break;
        const auto stream = word[0] == 'o' ? OutputStream::out : OutputStream::err;
        const size_t plus = word.find('+');
        const auto bytes = parse_int(word.substr(1, plus == word.npos ? plus : plus - 1));
        const auto later =
            plus == word.npos ? std::optional<int64_t>(0) : parse_int(word.substr(plus + 1));
        if (!bytes || *bytes < 0 || !later || *later < 0 || *later > INT64_MAX - at_ms) break;
        at_ms += *later;
        marks.push_back({stream, *bytes, at_ms});
    }
    return marks;
}

std::vector<OutputPiece> in_order(const Output& output) {
    std::vector<OutputPiece> pieces;
    Rest err(OutputStream::err, output.err, output.err_cut);
    Rest out(OutputStream::out, output.out, output.out_cut);
    int64_t at_ms = 0;
    for (const auto& mark : read_order(output.order)) {
        Rest& rest = mark.stream == OutputStream::out ? out : err;
        at_ms = mark.at_ms;
        rest.give(mark.bytes, at_ms, pieces);
    }
    err.give(INT64_MAX, at_ms, pieces);
    out.give(INT64_MAX, at_ms, pieces);
    return pieces;
}

}  // namespace jobq
