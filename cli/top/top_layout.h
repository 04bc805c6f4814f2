// What `top` draws: a view in, lines out. Pure, so that the tests can look at every size.
//
// A line is a list of spans that carry a colour; no line is wider than asked for, and on a screen
// there are exactly as many as it has rows, the last one naming the keys. Colour only repeats what
// the words say.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal/output.h"
#include "cli/top/top_state.h"

namespace jobq::cli {

struct TopView {
    std::string address;
    std::optional<TopSnapshot> snapshot;  // none before the first answer
    std::optional<TopRates> rates;        // none before the second
    QueueOrder order = QueueOrder::size;
    bool paused = false;
    // How long jobqd has not answered, and why; "" and 0 while it does.
    std::string trouble;
    int64_t trouble_ms = 0;
};

struct TextSpan {
    std::string text;
    Colour colour = Colour::plain;
};

using Line = std::vector<TextSpan>;

// How many of `rows` each section gets that wants so many: all it wants while they suffice, and
// then shares that are as even as they can be.
std::vector<size_t> share_rows(size_t rows, const std::vector<size_t>& wants);

// For a screen of that many columns and rows.
std::vector<Line> lay_out_screen(const TopView& view, size_t columns, size_t rows);
// For a pipe: everything, as wide and as long as it is, without the keys.
std::vector<Line> lay_out_plain(const TopView& view);

using Paint = std::function<std::string(std::string_view, Colour)>;

// The line as text, cut to `columns`.
std::string to_text(const Line& line, size_t columns, const Paint& paint);
// One whole frame for the terminal, over the one before.
std::string to_frame(const std::vector<Line>& lines, size_t columns, const Paint& paint);

// "7.5/s", "12/s", "1234/s".
std::string rate_words(double per_second);
// "512 B", "64 KiB", "1.5 GiB".
std::string bytes_words(int64_t bytes);

}  // namespace jobq::cli
