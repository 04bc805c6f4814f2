// LineSplitter: the lines of one client, cut out of the bytes that came. Pure, so that it can be
// fuzzed; daemon/server/session owns the bytes and reads more.
//
// Must stay true: no byte is looked at twice for its line's end, however small the pieces they come
// in; what has to be kept of a line never exceeds its limit by more than its end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/limits.h"

namespace jobq {

// In bytes, a line's end not counted. More than the longest prefix of a bulk line.
struct LineLimits {
    size_t line = limits::kLineBytes;
    size_t bulk = limits::kBulkLineBytes;  // of verbs that carry many jobs or their output
};

class LineSplitter {
  public:
    enum class Next : uint8_t { line, more, too_long };

    // `buffer` is appended to by its owner, and shortened by compact() alone.
    explicit LineSplitter(std::string& buffer, LineLimits limits = {})
        : buffer_(buffer), limits_(limits) {}

    // line: without LF and one CR before it, good until the buffer changes. more: none is whole
    // yet. too_long: the one that begins here is over its limit, with or without its end; final.
    Next next(std::string_view& line);
    // The next line when it is whole and begins with `prefix`; else nothing is taken.
    bool next_with(std::string_view prefix, std::string_view& line);
    // Frees what was given out.
    void compact();

    // Bytes the line that begins here may have.
    size_t limit() const;

    // What the buffer has to hold for that line to come in whole.
    size_t room() const { return limit() + 2; }

  private:
    std::string_view rest() const { return std::string_view(buffer_).substr(used_); }

    std::string& buffer_;
    LineLimits limits_;
    size_t used_ = 0;     // given out
    size_t scanned_ = 0;  // has no LF between used_ and here
};

}  // namespace jobq
