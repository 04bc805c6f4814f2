// PrivateRedis: one run after another, with a pause between them, and what Redis says meanwhile.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/async/contain.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "daemon/loop/apart.h"
#include "daemon/redis/aof_tail.h"
#include "daemon/redis/private_redis.h"
#include "daemon/redis/redis_config.h"
#include "daemon/redis/redis_log.h"

namespace jobq {
namespace {

constexpr size_t kTailLines = 60;
constexpr size_t kLogLineBytes = 4096;

std::string how_it_ended(const ChildEnd& end) {
    if (end.signal)
        return "was ended by signal " + std::to_string(*end.signal) + " (" +
               ::strsignal(*end.signal) + ")";
    return "ended with status " + std::to_string(end.exit_code.value_or(-1));
}

// A pipe takes 64 KiB before anyone reads; the text is a small part of that.
bool write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno != EINTR) return false;
        text.remove_prefix(wrote < 0 ? 0 : size_t(wrote));
    }
    return true;
}

}  // namespace

task<void> PrivateRedis::supervise() {
    while (!stopping_) {
        int64_t began = reactor_.now_ms();
        caught run(run_once());
        auto escaped = co_await run;
        if (escaped) co_await end_after(escaped);
        if (stopping_) break;
        bool hopeless = trouble_.code == ErrorCode::corrupt ||
                        (!was_up_ && ++tries_ >= limits::kRestartTriesAtStart);
        if (hopeless) {
            set_state(RedisState::failed, trouble_);
            break;
        }
        if (reactor_.now_ms() - began >= limits::kRestartStableMs) {
            backoff_.reset();
            faults_ = 0;
        }
        set_state(RedisState::backing_off, trouble_);
        int64_t pause_ms = backoff_.next_ms();
        // A disk that does not take its bytes is no better in ten milliseconds.
        bool by_itself = was_up_ && end_ && !end_->signal;
        if (by_itself && ++faults_ > 1) pause_ms = std::max(pause_ms, limits::kRestartFaultMs);
        if (stopping_) break;
        auto woken = wake_.wait(pause_ms);
        co_await woken;
        ++restarts_;
    }
}

// What runs must not be left alone: another would be started beside it.
task<void> PrivateRedis::end_after(std::exception_ptr escaped) {
    tell_escape("task", "the private Redis", escaped);
    trouble_ = Error{ErrorCode::internal,
                     "the start of the private Redis failed inside jobqd: " + words_of(escaped)};
    if (child_ && !end_) child_->signal_group(SIGKILL);
    while (child_ && !end_) {
        auto ended = ended_.wait(-1);
        co_await ended;
    }
    log_pipe_.reset();
    child_.reset();
}

task<void> PrivateRedis::run_once() {
    end_.reset();
    log_tail_.clear();
    log_bytes_.clear();
    set_state(RedisState::starting, Error{});
    auto ready = co_await mend_files();
    if (stopping_) co_return;
    if (ready) ready = spawn_redis();
    if (!ready) {
        trouble_ = ready.error();
        co_return;
    }
    note_life(reactor_.now_ms());
    if (on_spawn_) on_spawn_();
    while (!end_) {
        auto ended = ended_.wait(-1);  // stop() sees to it that it ends
        co_await ended;
    }
    // What it said last says why it ended; a child of its own may keep the pipe open.
    log_pipe_->drain();
    read_log_lines();
    trouble_ = reason_of(*end_);
    log_pipe_.reset();
    child_.reset();
}

// On a thread: of a large file the check takes longer than the leases of running jobs may wait.
task<Result<>> PrivateRedis::mend_files() {
    if (settings_.durability == Durability::memory) co_return Result<>{};
    std::string time = format_rfc3339(reactor_.wall_ms());
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    std::function<Result<std::string>()> mend = [this, time] {
        return mend_aof_tail(state_.redis_dir(), time, &give_up_);
    };
    auto mended = co_await run_apart(reactor_, std::move(mend));
    if (!mended) co_return tl::unexpected<Error>(mended.error());
    if (!mended->empty() && on_mended_) on_mended_(*mended);
    co_return Result<>{};
}

Result<> PrivateRedis::spawn_redis() {
    RedisConfigText config;
    config.socket_path = address_.endpoint.unix_path;
    config.dir = state_.redis_dir();
    config.password = address_.password;
    config.durability = settings_.durability;
    config.max_memory_bytes = settings_.max_memory_bytes;
    std::string text = config.text();
    auto input = make_pipe();
    if (!input) return tl::unexpected<Error>(input.error());
    auto log = make_pipe();
    bool good = log && write_whole(input->write_fd, text);
    close_fd(input->write_fd);
    if (!good) {
        close_fd(input->read_fd);
        return fail(ErrorCode::busy, "can't start the private Redis: can't create a pipe");
    }
    SpawnPlan plan;
    plan.program = binary_.program;
    plan.argv = {binary_.argv0, "-"};
    plan.env = {"LC_ALL=C", "PATH=" + std::string(kUsualPath)};
    plan.cwd = "/";
    plan.stdin_fd = input->read_fd;
    plan.stdout_fd = plan.stderr_fd = log->write_fd;
    plan.keep_fds = {state_.redis_lock_fd()};
    plan.umask = 0077;
    // It must not outlive jobqd: the next one could not start, or would find a Redis whose password
    // it does not know. SIGKILL is safe: with `always` what was acknowledged is on the disk, and
    // otherwise as safe as any crash of Redis.
    plan.die_with_parent = true;
    plan.no_new_privs = true;
    auto child = Child::spawn(reactor_, plan, [this](ChildEnd end) { end_run(end); });
    close_fd(input->read_fd);
    close_fd(log->write_fd);
    if (!child) {
        close_fd(log->read_fd);
        return fail(ErrorCode::config, "can't start the private Redis (" + binary_.program +
                                           "): " + child.error().text);
    }
    child_ = std::move(*child);
    log_pipe_ = std::make_unique<PipeReader>(
        reactor_, log->read_fd, [this](std::string_view bytes) { take_log(bytes); }, [] {});
    return {};
}

void PrivateRedis::end_run(const ChildEnd& end) {
    end_ = end;
    ended_.notify_all();
}

Error PrivateRedis::reason_of(const ChildEnd& end) const {
    if (end.signal == SIGKILL || end.signal == SIGTERM)
        return Error{ErrorCode::unavailable, "the private Redis " + how_it_ended(end)};
    return reason_from_log(log_tail_, how_it_ended(end), state_.redis_dir());
}

// --- Its log
// --------------------------------------------------------------------------------------

// May be called inside libuv's callback: only stores.
void PrivateRedis::take_log(std::string_view bytes) {
    log_bytes_.append(bytes);
    if (log_planned_) return;
    log_planned_ = true;
    reactor_.defer([this, alive = alive_] {
        if (*alive) read_log_lines();
    });
}

void PrivateRedis::read_log_lines() {
    log_planned_ = false;
    size_t at = 0;
    while (true) {
        size_t end = log_bytes_.find('\n', at);
        bool endless = end == std::string::npos && log_bytes_.size() - at > kLogLineBytes;
        if (end == std::string::npos && !endless) break;
        size_t size = endless ? kLogLineBytes : end - at;
        std::string line = log_bytes_.substr(at, size);
        at += endless ? size : size + 1;
        if (trim(line).empty()) continue;
        log_tail_.push_back(line);
        if (log_tail_.size() > kTailLines) log_tail_.pop_front();
        if (says_ready(line) && redis_state_ == RedisState::starting) {
            was_up_ = true;
            set_state(RedisState::running, Error{});
        }
        auto parsed = parse_redis_log(line);
        if (on_log_) on_log_(parsed.level, std::move(parsed.text));
    }
    log_bytes_.erase(0, at);
}

}  // namespace jobq
