// See witness.h. A line: kind jid attempt token microseconds pid holder checksum.
#include "tests/chaos/witness.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace jobq::chaos {
namespace {

constexpr std::string_view kKinds[] = {"start", "alive", "end_ok", "end_fail", "told", "stale"};

void add_line(std::string& text, const Mark& mark) {
    const auto word = [](const std::string& one) { return one.empty() ? "-" : one.c_str(); };
    text += kKinds[size_t(mark.kind)];
    text += ' ';
    text += word(mark.jid);
    text += ' ' + std::to_string(mark.attempt) + ' ';
    text += word(mark.token);
    text += ' ' + std::to_string(mark.at_us) + ' ' + std::to_string(mark.pid) + ' ';
    text += word(mark.holder);
    text += ' ';
    text += word(mark.checksum);
    text += '\n';
}

// The words of a line, one after the other; "" when there are no more.
class Words {
  public:
    explicit Words(std::string_view line) : rest_(line) {}

    std::string_view next() {
        const size_t end = std::min(rest_.find(' '), rest_.size());
        const std::string_view word = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        good_ = good_ && !word.empty();
        return word;
    }

    std::string text() {
        const std::string_view word = next();
        return word == "-" ? "" : std::string(word);
    }

    template <class Number>
    Number number() {
        const std::string_view word = next();
        Number value = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        good_ = good_ && error == std::errc() && end == word.data() + word.size();
        return value;
    }

    bool good() const { return good_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool good_ = true;
};

Mark read_mark(const std::string& line, const std::string& path) {
    Words words(line);
    Mark mark;
    const std::string_view kind = words.next();
    size_t at = 0;
    while (at < std::size(kKinds) && kKinds[at] != kind)
        ++at;
    mark.kind = Mark::Kind(at);
    mark.jid = words.text();
    mark.attempt = words.number<int>();
    mark.token = words.text();
    mark.at_us = words.number<int64_t>();
    mark.pid = words.number<int>();
    mark.holder = words.text();
    mark.checksum = words.text();
    if (!words.good() || at == std::size(kKinds))
        throw std::runtime_error(path + " has a line that is no mark: " + line);
    return mark;
}

}  // namespace

int64_t monotonic_us() {
    timespec now{};
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

int64_t wall_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void pause_ms(int64_t ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::string checksum_of(std::string_view bytes) {
    uint64_t sum = 14695981039346656037U;
    for (const char c : bytes)
        sum = (sum ^ uint64_t(static_cast<unsigned char>(c))) * 1099511628211U;
    char hex[17];
    std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(sum));
    return hex;
}

bool write_mark(const std::string& path, const Mark& mark) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool ok = write_marks(fd, {mark});
    if (fd >= 0) close(fd);
    return ok;
}

bool write_marks(int fd, const std::vector<Mark>& marks) {
    std::string text;
    for (const auto& mark : marks)
        add_line(text, mark);
    const ssize_t wrote = fd < 0 ? -1 : write(fd, text.data(), text.size());
    if (wrote == ssize_t(text.size())) return true;
    std::fprintf(stderr, "the witness log: %s\n", std::strerror(errno));
    return false;
}

std::vector<Mark> read_marks(const std::string& path, bool may_be_torn) {
    std::ifstream in(path);
    std::vector<Mark> marks;
    for (std::string line; std::getline(in, line);) {
        if (in.eof() && may_be_torn) break;  // no line feed
        marks.push_back(read_mark(line, path));
    }
    return marks;
}

}  // namespace jobq::chaos
