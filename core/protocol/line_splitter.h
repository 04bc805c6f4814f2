// LineSplitter: the lines of one client, cut out of the bytes that came. Pure, so that it can be
// fuzzed; daemon/server/session owns the bytes and reads more.
//
// Must stay true: no byte is looked at twice for its line's end, however small the pieces they come
// in; what has to be kept of a line never exceeds its limit by more than its end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jobq {

class LineSplitter {
  public:
    enum class Next : uint8_t { line, more, too_long };

    // `buffer` is appended to by its owner, and shortened by compact() alone.
    explicit LineSplitter(std::string& buffer) : buffer_(buffer) {}

    // line: without LF and one CR before it, good until the buffer changes. more: none is whole
    // yet. too_long: the one that begins here is over its limit, with or without its end; final.
    Next next(std::string_view& line);
    // The next line when it is whole and begins with `prefix`; else nothing is taken.
    bool next_with(std::string_view prefix, std::string_view& line);
    // Frees what was given out.
    void compact();

    // Bytes the line that begins here may have, its end not counted.
    size_t limit() const;

    // What the buffer has to hold for that line to come in whole.
    size_t room() const { return limit() + 2; }

  private:
    std::string_view rest() const { return std::string_view(buffer_).substr(used_); }

    std::string& buffer_;
    size_t used_ = 0;     // given out
    size_t scanned_ = 0;  // has no LF between used_ and here
};

}  // namespace jobq
