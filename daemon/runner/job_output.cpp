#include "daemon/runner/job_output.h"

#include <algorithm>
#include <iterator>

namespace jobq {
namespace {

// A report is a part of one line, and base 64 adds a third.
constexpr size_t kOutPartBytes = 192 << 10, kErrPartBytes = 128 << 10;
constexpr int64_t kTogetherMs = 10;  // has one stamp
constexpr size_t kPieceCost = 64;    // of memory, beside its bytes

Capture capture_of(const TypeSpec& type, size_t most) {
    return {std::min(type.output_head_bytes, most), std::min(type.output_tail_bytes, most)};
}

size_t weight(const OutputPiece& piece) {
    return piece.bytes.size() + kPieceCost;
}

}  // namespace

JobOutput::JobOutput(const TypeSpec& type)
    : out_(capture_of(type, kOutPartBytes)),
      err_(capture_of(type, kErrPartBytes)),
      room_(int64_t(limits::kOutputWindowBytes)) {}

void JobOutput::append(OutputStream stream, std::string_view bytes, int64_t at_ms) {
    Capture& capture = stream == OutputStream::out ? out_ : err_;
    if (stream == OutputStream::out) shape_.add(bytes);
    while (!bytes.empty()) {
        const std::string_view part = bytes.substr(0, limits::kOutputPieceBytes);
        bytes.remove_prefix(part.size());
        const int64_t offset = capture.total();
        capture.append(part);
        mark(stream, offset, capture.total(), at_ms);
        OutputPiece* last = pieces_.size() > taken_ ? &pieces_.back() : nullptr;
        if (last && last->stream == stream && at_ms - last->at_ms < kTogetherMs &&
            last->bytes.size() + part.size() <= limits::kOutputPieceBytes) {
            last->bytes += part;
            bytes_ += part.size();
        } else {
            pieces_.push_back({stream, offset, at_ms, std::string(part)});
            bytes_ += weight(pieces_.back());
        }
    }
    if (!anybody()) drop_old();
}

void JobOutput::mark(OutputStream stream, int64_t from, int64_t to, int64_t at_ms) {
    if (!marks_.empty()) {
        Mark& last = marks_.back();
        if (last.stream == stream && at_ms - last.at_ms < kTogetherMs) {
            last.to = to;
            return;
        }
    }
    if (marks_.size() >= limits::kOutputMarks) thin_marks();
    marks_.push_back({stream, from, to, at_ms});
}

// Drops the marks of what is not kept. Where there are still many, the order is kept less finely
// for all but the last of it.
void JobOutput::thin_marks() {
    constexpr size_t kTogether = 8;
    std::erase_if(marks_, [this](const Mark& old) {
        return capture(old.stream).kept_between(old.from, old.to) == 0;
    });
    if (marks_.size() < limits::kOutputMarks / 2) return;
    std::vector<Mark> thin;
    const size_t fine_from = marks_.size() - limits::kOutputMarks / 4;
    size_t group = 0;  // where in `thin` that of the present mark begins
    for (size_t i = 0; i < marks_.size(); ++i) {
        const Mark& mark = marks_[i];
        if (i >= fine_from || i % kTogether == 0) group = thin.size();
        const auto same = [&](const Mark& one) { return one.stream == mark.stream; };
        const auto found = std::find_if(thin.begin() + std::ptrdiff_t(group), thin.end(), same);
        if (found == thin.end()) {
            thin.push_back(mark);
        } else {
            found->to = mark.to;
        }
    }
    marks_ = std::move(thin);
}

void JobOutput::drop_old() {
    while (waiting_bytes() > limits::kOutputPieceBytes && pieces_.size() > taken_ + 1) {
        const auto oldest = pieces_.begin() + std::ptrdiff_t(taken_);
        bytes_ -= weight(*oldest);
        pieces_.erase(oldest);
    }
}

Output JobOutput::kept() const {
    Capture::Kept out = out_.kept(), err = err_.kept();
    Output output{std::move(err.bytes), std::move(out.bytes), err.cut, out.cut};
    std::vector<OutputMark> order;
    for (const auto& mark : marks_) {
        const int64_t bytes = capture(mark.stream).kept_between(mark.from, mark.to);
        if (bytes > 0) order.push_back({mark.stream, bytes, mark.at_ms});
    }
    // One stamp says no more than the job's own times do.
    if (order.size() > 1) output.order = write_order(order);
    return output;
}

bool JobOutput::full() const {
    return anybody() && waiting_bytes() >= limits::kOutputWindowBytes;
}

size_t JobOutput::ready_bytes() const {
    return anybody() ? std::min(waiting_bytes(), size_t(room_)) : waiting_bytes();
}

std::vector<OutputPiece> JobOutput::take(size_t most) {
    std::vector<OutputPiece> taken;
    size_t bytes = 0;
    while (taken_ < pieces_.size() && bytes < most && room_ != 0) {
        const OutputPiece& piece = pieces_[taken_];
        ++taken_;
        taken_bytes_ += weight(piece);
        bytes += weight(piece);
        if (anybody()) room_ = std::max<int64_t>(0, room_ - int64_t(weight(piece)));
        taken.push_back(piece);
    }
    any_taken_ = any_taken_ || !taken.empty();
    return taken;
}

void JobOutput::arrived() {
    pieces_.erase(pieces_.begin(), pieces_.begin() + std::ptrdiff_t(taken_));
    bytes_ -= taken_bytes_;
    taken_ = taken_bytes_ = 0;
}

void JobOutput::rewind() {
    taken_ = taken_bytes_ = 0;
    if (anybody()) room_ = int64_t(limits::kOutputWindowBytes);
    // Of what arrived somewhere, what is kept.
    int64_t out_from = out_.total(), err_from = err_.total();
    for (const auto& piece : pieces_) {
        int64_t& from = piece.stream == OutputStream::out ? out_from : err_from;
        from = std::min(from, piece.offset);
    }
    std::vector<OutputPiece> before = in_order(kept());
    std::erase_if(before, [&](OutputPiece& piece) {
        const int64_t from = piece.stream == OutputStream::out ? out_from : err_from;
        if (piece.end() > from)
            piece.bytes.resize(size_t(std::max<int64_t>(0, from - piece.offset)));
        return piece.bytes.empty();
    });
    for (const auto& piece : before)
        bytes_ += weight(piece);
    pieces_.insert(pieces_.begin(), std::make_move_iterator(before.begin()),
                   std::make_move_iterator(before.end()));
}

std::vector<OutputPiece> JobOutput::take_rest() {
    std::vector<OutputPiece> rest(std::make_move_iterator(pieces_.begin()),
                                  std::make_move_iterator(pieces_.end()));
    pieces_.clear();
    taken_ = taken_bytes_ = bytes_ = 0;
    return rest;
}

void JobOutput::set_room(int64_t room) {
    room_ = std::max(room, OutputRoom::kNobody);
    told_ = true;
    if (!anybody()) drop_old();
}

}  // namespace jobq
