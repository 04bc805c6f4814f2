#include "cli/terminal/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/job/state.h"

namespace jobq::cli {
namespace {

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

void Output::raw(std::string_view bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

void Output::line(std::string_view text) {
    raw(text);
    std::fputc('\n', stdout);
}

void Output::flush() {
    std::fflush(stdout);
}

void Output::raw_error(std::string_view bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stderr);
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
    const bool bad = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
    if (!bad) return {};
    return give_up(info(ErrorCode::internal).exit_status,
                   std::string("can't write to stdout: ") + std::strerror(errno));
}

void print_failure(const Failure& failure) {
    if (failure.text.empty()) return;
    std::fflush(stdout);
    std::string all = "jobq: " + failure.text + "\n";
    if (!failure.hint.empty()) all += "  " + failure.hint + "\n";
    std::fwrite(all.data(), 1, all.size(), stderr);
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
    const auto width = size_t(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
    return std::string(text) + std::string(width < columns ? columns - width : 1, ' ');
}

}  // namespace jobq::cli
