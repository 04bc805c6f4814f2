// See terminal.h. The slave side stays open here, so that settings() can be asked after the program
// has ended.
#include "tests/support/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace jobq::test {
namespace {

// What top writes at the end of a frame.
constexpr const char* kStart = "\033[?2026h";
constexpr const char* kEnd = "\033[?2026l";

int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

Terminal::Terminal(std::vector<std::string> args, const std::map<std::string, std::string>& env,
                   unsigned short columns, unsigned short rows) {
    std::vector<std::string> variables;
    for (const auto& [name, value] : env)
        variables.push_back(name + "=" + value);
    auto argv = pointers(args), envp = pointers(variables);
    winsize size{rows, columns, 0, 0};
    if (openpty(&master_, &slave_, nullptr, nullptr, &size) != 0)
        throw std::runtime_error("openpty");
    fcntl(master_, F_SETFD, FD_CLOEXEC);
    fcntl(slave_, F_SETFD, FD_CLOEXEC);
    before_ = settings();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ > 0) return;
    setsid();
    ioctl(slave_, TIOCSCTTY, 0);
    for (const int fd : {0, 1, 2})
        dup2(slave_, fd);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
}

Terminal::~Terminal() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    if (slave_ >= 0) ::close(slave_);
    if (master_ >= 0) ::close(master_);
}

void Terminal::type(const std::string& keys) const {
    if (::write(master_, keys.data(), keys.size()) != ssize_t(keys.size()))
        throw std::runtime_error("can't type");
}

void Terminal::resize(unsigned short columns, unsigned short rows) const {
    winsize size{rows, columns, 0, 0};
    ioctl(master_, TIOCSWINSZ, &size);
}

void Terminal::signal(int number) const {
    ::kill(pid_, number);
}

void Terminal::hang_up() {
    ::close(slave_);
    ::close(master_);
    slave_ = master_ = -1;
}

bool Terminal::read_some(int64_t deadline_ms) {
    pollfd readable{master_, POLLIN, 0};
    const int64_t left = deadline_ms - now_ms();
    if (left <= 0 || poll(&readable, 1, int(left)) <= 0) return false;
    char bytes[4096];
    const ssize_t got = ::read(master_, bytes, sizeof bytes);
    if (got <= 0) return false;
    output_.append(bytes, size_t(got));
    return true;
}

std::string Terminal::last_frame() const {
    const size_t end = output_.rfind(kEnd);
    if (end == std::string::npos || end == 0) return {};
    const size_t start = output_.rfind(kStart, end - 1);
    return start == std::string::npos ? std::string() : output_.substr(start, end - start);
}

bool Terminal::shows(const std::string& part, int limit_ms) {
    const int64_t deadline = now_ms() + limit_ms;
    while (without_escapes(last_frame()).find(part) == std::string::npos)
        if (!read_some(deadline)) return false;
    return true;
}

bool Terminal::writes(const std::string& part, int limit_ms) {
    const int64_t deadline = now_ms() + limit_ms;
    while (output_.find(part) == std::string::npos)
        if (!read_some(deadline)) return false;
    return true;
}

size_t Terminal::unread_after(int ms) const {
    int bytes = 0;
    poll(nullptr, 0, ms);
    ioctl(master_, FIONREAD, &bytes);
    return size_t(bytes);
}

bool Terminal::shows_rows(size_t rows, int limit_ms) {
    const int64_t deadline = now_ms() + limit_ms;
    while (screen().size() != rows)
        if (!read_some(deadline)) return false;
    return true;
}

std::vector<std::string> Terminal::screen() const {
    std::vector<std::string> lines(1);
    for (const char c : without_escapes(last_frame())) {
        if (c == '\n') lines.emplace_back();
        if (c != '\n' && c != '\r') lines.back() += c;
    }
    return lines;
}

int Terminal::wait(int limit_ms, bool reads) {
    const int64_t deadline = now_ms() + limit_ms;
    int status = 0;
    while (true) {
        const pid_t ended = waitpid(pid_, &status, WNOHANG);
        // What it wrote last is in the terminal then.
        while (reads && master_ >= 0 && read_some(now_ms() + 10)) {
        }
        if (ended == pid_) break;
        if (now_ms() > deadline) return -1;
        if (!reads || master_ < 0) poll(nullptr, 0, 2);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

termios Terminal::settings() const {
    termios now{};
    tcgetattr(slave_, &now);
    return now;
}

std::string without_escapes(const std::string& text) {
    std::string clean;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\033') {
            clean += text[i];
            continue;
        }
        for (i += 2; i < text.size() && (text[i] < '@' || text[i] > '~');)
            ++i;
    }
    return clean;
}

}  // namespace jobq::test
