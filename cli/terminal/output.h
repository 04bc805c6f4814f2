// Output: data on stdout in the format asked for, talk on stderr.
//
// Data is buffered and flushed by flush() where somebody may wait for it. Output that can't be
// written interrupts a verb that follows something; finish(), which main() calls last, says why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/base/failure.h"

namespace jobq::cli {

enum class Format : uint8_t { text, json, jsonl, raw };  // raw: bytes as they are
enum class Colour : uint8_t { plain, good, bad, busy, faint };

class Output {
  public:
    Output(Format format, bool quiet);
    ~Output();
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    Format format() const { return format_; }

    bool is_text() const { return format_ == Format::text; }

    bool quiet() const { return quiet_; }

    // stdout, stderr is a terminal.
    bool on_terminal() const { return out_terminal_; }

    bool talks_to_terminal() const { return err_terminal_; }

    void line(std::string_view text);
    void raw(std::string_view bytes);
    void flush();
    // One line on stderr, "jobq: " in front; silent with -q.
    void note(std::string_view text);
    // Bytes for stderr as they are (a job's own stderr, progress).
    void raw_error(std::string_view bytes);
    // `text` in a colour when stdout is a terminal that wants them.
    std::string paint(std::string_view text, Colour colour) const;

    Answer<> finish();

  private:
    Format format_;
    bool quiet_;
    bool out_terminal_, err_terminal_;
    bool colour_;
    std::string buffer_;
    int error_ = 0;  // why stdout takes nothing any more
};

// "jobq: TEXT", then the hint's lines, on stderr. Flush stdout before.
void print_failure(const Failure& failure);

// Objects of a verb that answers with several: `json` prints one array, `jsonl` one a line.
class Records {
  public:
    explicit Records(Output& out) : out_(out) {}

    void add(std::string_view object);
    void end();

  private:
    Output& out_;
    bool any_ = false;
};

// The colour of a job's state.
Colour state_colour(std::string_view state);
// `text` with spaces up to `columns` of a terminal (columns.h). At least one space follows.
std::string padded(std::string_view text, size_t columns);

}  // namespace jobq::cli
