// libFuzzer target: how a session splits what a client sends into lines. Whatever the pieces the
// bytes come in, the lines are those a plain look at the whole text finds, and no more is kept than
// the limit of the line that begins. The first byte chooses the size of the pieces.
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/protocol/line_splitter.h"

namespace {

constexpr jobq::LineLimits kLimits{16, 40};

struct Split {
    std::vector<std::string> lines;
    bool too_long = false;

    bool operator==(const Split&) const = default;
};

Split look_at_whole(std::string_view text) {
    Split split;
    while (true) {
        bool bulk = text.starts_with("PUSHB ") || text.starts_with("JOBQ DONE ") ||
                    text.starts_with("JOBQ OUTPUT ") || text.starts_with("JOBQ IMPORT ") ||
                    text.starts_with("MUTATE ");
        size_t limit = bulk ? kLimits.bulk : kLimits.line;
        size_t end = text.find('\n');
        if (end == text.npos) {
            split.too_long = text.size() > limit + 1;
            return split;
        }
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > limit) {
            split.too_long = true;
            return split;
        }
        split.lines.emplace_back(line);
        text.remove_prefix(end + 1);
    }
}

Split in_pieces(std::string_view text, size_t piece) {
    Split split;
    std::string buffer;
    jobq::LineSplitter lines(buffer, kLimits);
    std::string_view line;
    while (true) {
        auto next = lines.next(line);
        if (next == jobq::LineSplitter::Next::too_long) {
            split.too_long = true;
            return split;
        }
        if (next == jobq::LineSplitter::Next::line) {
            bool push = line.starts_with("PUSH ");
            split.lines.emplace_back(line);
            while (push && lines.next_with("PUSH ", line)) {
                JOBQ_CHECK(line.starts_with("PUSH"));
                split.lines.emplace_back(line);
            }
            continue;
        }
        lines.compact();
        JOBQ_CHECK(buffer.size() < lines.room());
        if (text.empty()) return split;
        size_t taken = std::min({piece, text.size(), lines.room() - buffer.size()});
        buffer.append(text.substr(0, taken));
        text.remove_prefix(taken);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    Split wanted = look_at_whole(text);
    JOBQ_CHECK(in_pieces(text, size_t(data[0]) + 1) == wanted);
    JOBQ_CHECK(in_pieces(text, 1) == wanted);
    JOBQ_CHECK(in_pieces(text, size) == wanted);
    return 0;
}
