// See screen.h. Output goes through a file description of its own: O_NONBLOCK on stdout's would
// stay with the shell.
#include "cli/terminal/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/base/interrupt.h"

namespace jobq::cli {
namespace {

// Alternate screen, no cursor, no wrapping of what is too wide; and back.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[?7l\033[2J";
constexpr std::string_view kLeave = "\033[?2026l\033[0m\033[?7h\033[?25h\033[?1049l";
constexpr int64_t kLeaveMs = 500;
constexpr int64_t kNever = int64_t(1) << 50;
constexpr std::array kCrashes{SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// For on_crash(), which can't be told anything.
int g_crash_out = -1;
bool g_crash_keyboard = false;
termios g_crash_cooked;

void on_crash(int number) {
    [[maybe_unused]] const auto sent = ::write(g_crash_out, kLeave.data(), kLeave.size());
    if (g_crash_keyboard) tcsetattr(STDIN_FILENO, TCSANOW, &g_crash_cooked);
    raise(number);  // SA_RESETHAND: the system's way now
}

void watch_crashes(bool on) {
    struct sigaction action {};

    action.sa_handler = on ? on_crash : SIG_DFL;
    action.sa_flags = on ? int(SA_RESETHAND) : 0;
    for (const int number : kCrashes)
        sigaction(number, &action, nullptr);
}

int open_again(int fd) {
    char name[256];
    if (ttyname_r(fd, name, sizeof name) == 0)
        if (const int again = open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); again >= 0)
            return again;
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void add_to(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

bool has_screen() {
    const char* terminal = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && terminal != nullptr && *terminal != '\0' &&
           std::string_view(terminal) != "dumb";
}

Screen::Screen() {
    sigemptyset(&blocked_);
    for (const int number : {SIGWINCH, SIGHUP, SIGTSTP})
        sigaddset(&blocked_, number);
    sigprocmask(SIG_BLOCK, &blocked_, &before_);
}

Screen::~Screen() {
    leave();
    for (const int fd : {signals_, epoll_, out_})
        if (fd >= 0) ::close(fd);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Answer<> Screen::enter() {
    if (out_ < 0) {
        keyboard_ = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &cooked_) == 0;
        out_ = open_again(STDOUT_FILENO);
        signals_ = signalfd(-1, &blocked_, SFD_NONBLOCK | SFD_CLOEXEC);
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        if (out_ < 0 || signals_ < 0 || epoll_ < 0)
            return give_up(info(ErrorCode::internal).exit_status,
                           std::string("can't use the terminal: ") + std::strerror(errno),
                           "`jobq top --once` works without a terminal");
        add_to(epoll_, signals_);
        if (keyboard_) add_to(epoll_, STDIN_FILENO);
    }
    entered_ = true;
    g_crash_out = out_;
    g_crash_keyboard = keyboard_;
    g_crash_cooked = cooked_;
    watch_crashes(true);
    if (keyboard_) {
        termios raw = cooked_;
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO);
        raw.c_iflag &= ~tcflag_t(IXON);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    write(kEnter);
    return {};
}

void Screen::leave() {
    if (!entered_) return;
    entered_ = false;
    write_until(kLeave, monotonic_ms() + kLeaveMs);
    if (keyboard_) tcsetattr(STDIN_FILENO, TCSANOW, &cooked_);
    watch_crashes(false);
}

// As if jobq had never caught ^Z: the shell gets its terminal, and `fg` gives it back.
void Screen::stop_until_continued() {
    leave();
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, nullptr);
    sigprocmask(SIG_BLOCK, &stop, nullptr);
    if (keyboard_) tcgetattr(STDIN_FILENO, &cooked_);
    enter();
}

Screen::Input Screen::read() {
    Input input;
    signalfd_siginfo signal{};
    while (::read(signals_, &signal, sizeof signal) == ssize_t(sizeof signal)) {
        if (signal.ssi_signo == SIGHUP) input.gone = true;
        if (signal.ssi_signo == SIGTSTP) stop_until_continued();
        input.redraw = true;
    }
    pollfd typed{STDIN_FILENO, POLLIN, 0};
    if (!keyboard_ || poll(&typed, 1, 0) <= 0) return input;
    char keys[64];
    const ssize_t got = ::read(STDIN_FILENO, keys, sizeof keys);
    if (got > 0) input.keys.assign(keys, size_t(got));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) input.gone = true;
    return input;
}

Screen::Size Screen::size() const {
    winsize window{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0)
        return {};
    return {window.ws_col, window.ws_row};
}

bool Screen::write(std::string_view frame) const {
    return write_until(frame, kNever);
}

bool Screen::write_until(std::string_view bytes, int64_t deadline_ms) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::write(out_, bytes.data(), bytes.size());
        if (sent > 0) {
            bytes.remove_prefix(size_t(sent));
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return false;
        pollfd writable{out_, POLLOUT, 0};
        if (deadline_ms == kNever) {
            if (!poll_until(&writable, 1, deadline_ms)) return false;
            continue;
        }
        // Not poll_until(): an interrupt may be why the screen is left.
        const int64_t left = deadline_ms - monotonic_ms();
        if (left <= 0 || poll(&writable, 1, int(left)) == 0) return false;
    }
    return true;
}

}  // namespace jobq::cli
