#include "daemon/work/runner_keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "daemon/observe/log.h"

extern char** environ;

namespace jobq {
namespace {

constexpr int64_t kPauseMinMs = 50, kPauseMaxMs = 5'000, kHealthyMs = 10'000;

int64_t pid_in(int fd) {
    char text[32] = {};
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    if (length <= 0) return 0;
    return parse_int(trim(std::string_view(text, size_t(length)))).value_or(0);
}

// What the runner itself needs. Its jobs have an environment of their own, but may read its.
bool is_for_runner(std::string_view entry) {
    constexpr std::string_view kNames[] = {"PATH",
                                           "HOME",
                                           "USER",
                                           "LOGNAME",
                                           "SHELL",
                                           "LANG",
                                           "LC_ALL",
                                           "LC_CTYPE",
                                           "TZ",
                                           "TMPDIR",
#ifdef JOBQ_FAILPOINTS
                                           "JOBQ_FAILPOINT",
#endif
                                           "JOBQ_DEBUG",
                                           "LD_LIBRARY_PATH",
                                           "ASAN_OPTIONS",
                                           "LSAN_OPTIONS",
                                           "TSAN_OPTIONS",
                                           "UBSAN_OPTIONS"};
    const auto name = entry.substr(0, entry.find('='));
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

std::vector<std::string> runner_environment() {
    std::vector<std::string> env;
    for (char** entry = environ; entry && *entry; ++entry)
        if (is_for_runner(*entry)) env.emplace_back(*entry);
    return env;
}

// Which file a program is: beside the lock, since its process is closed to others.
std::string file_mark(const std::string& path) {
    struct stat file {};

    if (stat(path.c_str(), &file) != 0) return "";
    return std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

std::string mark_path(const std::string& state_dir) {
    return state_dir + "/runner.program";
}

void keep_mark(const std::string& state_dir, const std::string& mark) {
    const std::string path = mark_path(state_dir);
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    (void)!::write(fd, mark.data(), mark.size());
    ::close(fd);
}

// Whether the runner runs the very file we run; true when it can't be known.
bool runs_our_file(const std::string& state_dir, int64_t pid) {
    const std::string ours = file_mark("/proc/self/exe");
    std::string its = file_mark("/proc/" + std::to_string(pid) + "/exe");
    if (its.empty())
        if (auto kept = read_small_file(mark_path(state_dir), 100)) its = std::move(kept->text);
    return ours.empty() || its.empty() || ours == its;
}

}  // namespace

RunnerKeeper::RunnerKeeper(UvReactor& reactor, Settings settings, std::function<void()> on_end)
    : reactor_(reactor),
      settings_(std::move(settings)),
      on_end_(std::move(on_end)),
      gone_(reactor) {}

RunnerKeeper::~RunnerKeeper() {
    reactor_.cancel(timer_);
}

void RunnerKeeper::start() {
    launch();
}

void RunnerKeeper::launch() {
    timer_ = 0;
    if (stopping_) return;
    std::string path = settings_.state_dir + "/runner.lock";
    int lock = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
        again("runner.no_lock", path + " can't be opened: " + std::strerror(errno));
        return;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        int64_t pid = pid_in(lock);
        ::close(lock);
        watch_old(pid);
        return;
    }
    SpawnPlan plan;
    plan.program = settings_.program;
    plan.argv = {
        "jobqd",  "runner",      "--connect",      settings_.endpoint,
        "--name", settings_.wid, "--stop-timeout", format_duration(settings_.stop_timeout_ms)};
    plan.env = runner_environment();
    plan.stdout_fd = plan.stderr_fd = STDERR_FILENO;
    plan.keep_fds = {lock};
    plan.die_with_parent = false;  // it and its jobs outlive us
    const std::string mark = file_mark(settings_.program);
    auto child = Child::spawn(reactor_, plan, [this](ChildEnd) { ended(); });
    if (!child) {
        ::close(lock);
        again("runner.not_started", child.error().text);
        return;
    }
    child_ = std::move(*child);
    pid_ = child_->pid();
    launched_ms_ = reactor_.now_ms();
    std::string text = std::to_string(pid_) + "\n";
    bool kept = ftruncate(lock, 0) == 0 && pwrite(lock, text.data(), text.size(), 0) > 0;
    ::close(lock);  // the runner holds it now
    keep_mark(settings_.state_dir, mark);
    log(LogLevel::info, "runner.started", kept ? "" : "its pid can't be saved", {{"pid", pid_}});
}

bool RunnerKeeper::find() {
    stopping_ = true;
    const std::string path = settings_.state_dir + "/runner.lock";
    int lock = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (lock < 0) return false;
    const bool is_held = flock(lock, LOCK_EX | LOCK_NB) != 0;
    const int64_t pid = is_held ? pid_in(lock) : 0;
    ::close(lock);
    if (pid <= 0) return false;
    auto watch = PidWatch::watch(reactor_, pid, [this] { ended(); });
    if (!watch) return false;
    old_ = std::move(*watch);
    pid_ = pid;
    return true;
}

// What failed now may go in a while.
void RunnerKeeper::again(std::string_view event, const std::string& why) {
    log(LogLevel::error, event, why + "; retrying");
    pause_ms_ = std::clamp(2 * pause_ms_, kPauseMinMs, kPauseMaxMs);
    timer_ = reactor_.after(pause_ms_, [this] { launch(); });
}

void RunnerKeeper::watch_old(int64_t pid) {
    pid_ = pid;
    auto watch = PidWatch::watch(reactor_, pid, [this] { ended(); });
    if (watch) {
        old_ = std::move(*watch);
        outdated_ = !runs_our_file(settings_.state_dir, pid);
        log(LogLevel::info, "runner.found",
            outdated_ ? "an earlier runner of another build is still running; it is replaced once "
                        "it runs no job"
                      : "an earlier runner is still running",
            {{"pid", pid}});
        return;
    }
    // Between its start and its note, or just ended: look again.
    timer_ = reactor_.after(kPauseMinMs, [this] { launch(); });
}

void RunnerKeeper::ended() {
    log(stopping_ ? LogLevel::info : LogLevel::warn, "runner.ended",
        stopping_ ? "" : "the runner ended; its jobs are taken back, and it is restarted",
        {{"pid", pid_}});
    child_.reset();
    old_.reset();
    outdated_ = false;
    pid_ = 0;
    on_end_();
    gone_.notify_all();
    if (stopping_) return;
    bool healthy = reactor_.now_ms() - launched_ms_ > kHealthyMs;
    pause_ms_ = healthy ? kPauseMinMs : std::clamp(2 * pause_ms_, kPauseMinMs, kPauseMaxMs);
    timer_ = reactor_.after(pause_ms_, [this] { launch(); });
}

void RunnerKeeper::signal(int number) {
    if (child_) {
        child_->signal(number);
    } else if (old_ && pid_ > 0) {
        // Not our child, so its pid could in theory be another's by now; the watch says it lives.
        ::kill(pid_t(pid_), number);
    }
}

void RunnerKeeper::leave() {
    stopping_ = true;
    on_end_ = [] {};
    reactor_.cancel(timer_);
}

void RunnerKeeper::hurry() {
    signal(SIGTERM);
}

task<void> RunnerKeeper::stop() {
    stopping_ = true;
    reactor_.cancel(timer_);
    signal(SIGTERM);
    int64_t grace = limits::kKillGraceMs;
    if (settings_.longest_grace_ms) grace = std::max(grace, settings_.longest_grace_ms());
    int64_t deadline = reactor_.now_ms() + settings_.stop_timeout_ms + grace + 5'000;
    while (pid_ != 0 && reactor_.now_ms() < deadline) {
        auto wait = gone_.wait(deadline - reactor_.now_ms());
        co_await wait;
    }
    if (pid_ != 0) signal(SIGKILL);
    while (pid_ != 0) {
        auto wait = gone_.wait(1'000);
        co_await wait;
    }
}

}  // namespace jobq
