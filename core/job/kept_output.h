// The output of a job: as pieces in the order of time while it runs, and afterwards as the kept
// parts of both streams with that order. Pure; used by the runner, jobqd and the stored form
// (codec.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jobq {

enum class OutputStream : uint8_t { out, err };

constexpr std::string_view name(OutputStream stream) {
    return stream == OutputStream::out ? "stdout" : "stderr";
}

struct OutputPiece {
    OutputStream stream = OutputStream::err;
    int64_t offset = 0;  // of its first byte in all that the stream ever had
    int64_t at_ms = 0;   // when it was read, wall clock; 0: not known
    std::string bytes;

    int64_t end() const { return offset + int64_t(bytes.size()); }

    bool operator==(const OutputPiece&) const = default;
};

// What is missing in the kept bytes of a stream: so many, at that offset. None when bytes is 0.
struct LeftOut {
    int64_t at = 0, bytes = 0;

    explicit operator bool() const { return bytes > 0; }

    bool operator==(const LeftOut&) const = default;
};

// So many of the kept bytes of a stream were read at that time, after those of the mark before.
struct OutputMark {
    OutputStream stream = OutputStream::err;
    int64_t bytes = 0;
    int64_t at_ms = 0;

    bool operator==(const OutputMark&) const = default;
};

// Marks as text without spaces: the time of the first, then "o12", "e3+250", ...: the stream, the
// bytes, and the milliseconds since the mark before. "" for none.
std::string write_order(const std::vector<OutputMark>& marks);
// What can be read of it.
std::vector<OutputMark> read_order(std::string_view text);

// What is kept of what a job, or one attempt of it, wrote.
struct Output {
    std::string err, out;
    LeftOut err_cut{}, out_cut{};
    std::string order{};  // see write_order(); "": not known

    bool operator==(const Output&) const = default;
};

// The same as pieces in the order of time, with their true offsets. What the order does not speak
// of comes last, stderr first.
std::vector<OutputPiece> in_order(const Output& output);

}  // namespace jobq
