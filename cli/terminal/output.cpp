#include "cli/terminal/output.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "cli/base/interrupt.h"
#include "cli/terminal/columns.h"
#include "core/job/state.h"

namespace jobq::cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;

bool wants_colour() {
    const char* no = std::getenv("NO_COLOR");
    if (no != nullptr && *no != '\0') return false;
    const char* terminal = std::getenv("TERM");
    return terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string_view escape_of(Colour colour) {
    switch (colour) {
        case Colour::good:
            return "\033[32m";
        case Colour::bad:
            return "\033[31m";
        case Colour::busy:
            return "\033[36m";
        case Colour::faint:
            return "\033[2m";
        case Colour::plain:
            break;
    }
    return "";
}

}  // namespace

Output::Output(Format format, bool quiet)
    : format_(format),
      quiet_(quiet),
      out_terminal_(isatty(STDOUT_FILENO) == 1),
      err_terminal_(isatty(STDERR_FILENO) == 1),
      colour_(out_terminal_ && wants_colour()) {}

Output::~Output() {
    flush();
}

void Output::raw(std::string_view bytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kBufferBytes) flush();
}

void Output::line(std::string_view text) {
    raw(text);
    raw("\n");
    if (out_terminal_) flush();
}

void Output::flush() {
    const int before = error_;
    if (error_ == 0) error_ = write_all(STDOUT_FILENO, buffer_);
    buffer_.clear();
    if (before != error_) interrupt();
}

void Output::raw_error(std::string_view bytes) {
    write_all(STDERR_FILENO, bytes);
}

void Output::note(std::string_view text) {
    if (quiet_) return;
    raw_error("jobq: " + std::string(text) + "\n");
}

std::string Output::paint(std::string_view text, Colour colour) const {
    if (!colour_ || colour == Colour::plain) return std::string(text);
    return std::string(escape_of(colour)) + std::string(text) + "\033[0m";
}

Answer<> Output::finish() {
    flush();
    if (reader_gone() && error_ == 0) {
        raise(SIGPIPE);  // as its next line would have done
        error_ = EPIPE;
    }
    if (error_ == 0 || error_ == EINTR) return {};
    return give_up(info(ErrorCode::internal).exit_status,
                   std::string("can't write to stdout: ") + std::strerror(error_));
}

void print_failure(const Failure& failure) {
    if (failure.text.empty()) return;
    std::string all = "jobq: " + failure.text + "\n";
    if (!failure.hint.empty()) all += "  " + failure.hint + "\n";
    write_all(STDERR_FILENO, all);
}

void Records::add(std::string_view object) {
    if (out_.format() == Format::jsonl) {
        out_.line(object);
        return;
    }
    out_.raw(any_ ? ",\n " : "[");
    out_.raw(object);
    any_ = true;
}

void Records::end() {
    if (out_.format() == Format::jsonl) return;
    out_.line(any_ ? "]" : "[]");
}

Colour state_colour(std::string_view state) {
    const auto known = state_from_name(state);
    if (!known) return Colour::plain;
    switch (*known) {
        case State::succeeded:
            return Colour::good;
        case State::dead:
            return Colour::bad;
        case State::running:
            return Colour::busy;
        case State::cancelled:
        case State::expired:
            return Colour::faint;
        default:
            return Colour::plain;
    }
}

std::string padded(std::string_view text, size_t columns) {
    const size_t width = columns_of(text);
    return std::string(text) + std::string(width < columns ? columns - width : 1, ' ');
}

}  // namespace jobq::cli
