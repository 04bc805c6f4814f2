#include "cli/input/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace jobq::cli {

int LineReader::fill() {
    buffer_.erase(0, taken_);
    searched_ = searched_ > taken_ ? searched_ - taken_ : 0;
    taken_ = 0;
    constexpr size_t kOnce = 64 << 10;
    const size_t held = buffer_.size();
    buffer_.resize(held + kOnce);
    const ssize_t got = ::read(fd_, buffer_.data() + held, kOnce);
    const int code = errno;
    buffer_.resize(held + (got > 0 ? size_t(got) : 0));
    if (got == 0) end_ = true;
    if (got >= 0 || code == EINTR || code == EAGAIN) return 0;
    // What came of the last line is not the line.
    const size_t stop = buffer_.rfind('\n');
    buffer_.resize(std::max(taken_, stop == std::string::npos ? 0 : stop + 1));
    searched_ = std::min(searched_, buffer_.size());
    skipping_ = false;
    end_ = true;
    return code;
}

int LineReader::wait_and_fill() {
    pollfd waiting{fd_, POLLIN, 0};
    while (::poll(&waiting, 1, -1) < 0)
        if (errno != EINTR) return errno;
    return fill();
}

std::optional<LineReader::Line> LineReader::next() {
    while (true) {
        const size_t stop = buffer_.find('\n', searched_);
        const bool whole = stop != std::string::npos;
        const size_t size = (whole ? stop : buffer_.size()) - taken_;
        if (!whole && !end_) {
            searched_ = buffer_.size();
            if (size <= limit_) return std::nullopt;
            // The head of a line that can't fit: forget it, go on to its end.
            skipping_ = true;
            taken_ = buffer_.size();
            return std::nullopt;
        }
        if (!whole && size == 0 && !skipping_) return std::nullopt;
        Line line;
        line.number = ++number_;
        line.text = std::string_view(buffer_).substr(taken_, size);
        line.too_long = skipping_ || size > limit_;
        skipping_ = false;
        taken_ += size + (whole ? 1 : 0);
        searched_ = taken_;
        if (number_ == 1 && line.text.starts_with("\xEF\xBB\xBF")) line.text.remove_prefix(3);
        if (line.text.ends_with('\r')) line.text.remove_suffix(1);
        if (line.text.find_first_not_of(" \t") == std::string_view::npos && !line.too_long)
            continue;  // an empty line is no job
        return line;
    }
}

}  // namespace jobq::cli
