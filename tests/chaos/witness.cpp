// See witness.h. A line: kind jid attempt token microseconds pid holder checksum.
#include "tests/chaos/witness.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace jobq::chaos {
namespace {

constexpr std::string_view kKinds[] = {"start", "alive", "end_ok", "end_fail"};

std::string word(const std::string& text) {
    return text.empty() ? "-" : text;
}

std::string text(const std::string& word) {
    return word == "-" ? "" : word;
}

}  // namespace

int64_t monotonic_us() {
    timespec now{};
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
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
    std::string line(kKinds[size_t(mark.kind)]);
    line += " " + word(mark.jid) + " " + std::to_string(mark.attempt) + " " + word(mark.token);
    line += " " + std::to_string(mark.at_us) + " " + std::to_string(mark.pid);
    line += " " + word(mark.holder) + " " + word(mark.checksum) + "\n";
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const ssize_t wrote = fd < 0 ? -1 : write(fd, line.data(), line.size());
    const bool ok = wrote == ssize_t(line.size());
    if (!ok) std::fprintf(stderr, "the witness log %s: %s\n", path.c_str(), std::strerror(errno));
    if (fd >= 0) close(fd);
    return ok;
}

std::vector<Mark> read_marks(const std::string& path) {
    std::ifstream in(path);
    std::vector<Mark> marks;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string kind, token, holder, checksum;
        Mark mark;
        words >> kind >> mark.jid >> mark.attempt >> token >> mark.at_us >> mark.pid >> holder >>
            checksum;
        size_t at = 0;
        while (at < std::size(kKinds) && kKinds[at] != kind)
            ++at;
        if (!words || at == std::size(kKinds))
            throw std::runtime_error(path + " has a line that is no mark: " + line);
        mark.kind = Mark::Kind(at);
        mark.token = text(token);
        mark.holder = text(holder);
        mark.checksum = text(checksum);
        marks.push_back(std::move(mark));
    }
    return marks;
}

}  // namespace jobq::chaos
