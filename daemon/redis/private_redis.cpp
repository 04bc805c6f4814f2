// PrivateRedis: see private_redis.h. supervise() is its life: one run after another, with a pause
// between them; start() and stop() only talk to it.
#include "daemon/redis/private_redis.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/id.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "daemon/observe/log.h"
#include "daemon/redis/aof_tail.h"
#include "daemon/redis/redis_config.h"
#include "daemon/redis/redis_log.h"

namespace jobq {
namespace {

constexpr const char* kUsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr size_t kTailLines = 60;
constexpr size_t kLogLineBytes = 4096;
constexpr int64_t kLeftoverPollMs = 10;

std::string random_password() {
    std::string bytes;
    for (int n = 0; n < 4; ++n) {
        uint64_t number = random_u64();
        bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    return hex(bytes);
}

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

std::string_view to_string(RedisState state) {
    switch (state) {
        case RedisState::stopped:
            return "stopped";
        case RedisState::starting:
            return "starting";
        case RedisState::running:
            return "running";
        case RedisState::backing_off:
            return "backing_off";
        case RedisState::failed:
            return "failed";
    }
    return "stopped";
}

Result<std::unique_ptr<PrivateRedis>> PrivateRedis::prepare(UvReactor& reactor, Settings settings) {
    if (settings.path.empty()) settings.path = kUsualPath;
    auto binary = find_redis(settings.binary, settings.path);
    if (!binary) return tl::unexpected<Error>(binary.error());
    auto state = StateDir::open(settings.state_dir);
    if (!state) return tl::unexpected<Error>(state.error());
    std::unique_ptr<PrivateRedis> redis(
        new PrivateRedis(reactor, std::move(settings), std::move(*state), std::move(*binary)));
    auto chosen = redis->choose_socket();
    if (!chosen) return tl::unexpected<Error>(chosen.error());
    return redis;
}

PrivateRedis::PrivateRedis(UvReactor& reactor, Settings settings, StateDir state,
                           RedisBinary binary)
    : reactor_(reactor),
      settings_(std::move(settings)),
      state_(std::move(state)),
      binary_(std::move(binary)),
      gate_(reactor),
      changed_(reactor),
      wake_(reactor),
      ended_(reactor),
      backoff_(random_u64(), limits::kRestartMinMs, limits::kRestartMaxMs),
      alive_(std::make_shared<bool>(true)) {
    address_.password = random_password();
}

PrivateRedis::~PrivateRedis() {
    JOBQ_CHECK(!child_);
    *alive_ = false;
    reactor_.cancel(kill_timer_);
    if (own_socket_dir_.empty()) return;
    ::unlink(address_.endpoint.unix_path.c_str());
    ::rmdir(own_socket_dir_.c_str());
}

// Redis would cut a path that does not fit into sun_path and listen somewhere else.
Result<> PrivateRedis::choose_socket() {
    std::string path = state_.path() + "/redis.sock";
    if (path.size() > limits::kUnixPathBytes) {
        bool usable = settings_.runtime_dir.starts_with("/");
        std::string dir = (usable ? settings_.runtime_dir : "/tmp") + "/jobq-XXXXXX";
        // mkdtemp: 0700 and new, so nobody can have put something there before us.
        if (dir.size() + sizeof "/redis.sock" > limits::kUnixPathBytes ||
            ::mkdtemp(dir.data()) == nullptr)
            return fail(ErrorCode::config, "the path " + path +
                                               " is too long for a socket, and there is no place "
                                               "for it in " +
                                               dir + " (" + std::strerror(errno) +
                                               "): choose a shorter state_dir");
        own_socket_dir_ = dir;
        path = dir + "/redis.sock";
    }
    address_.endpoint.unix_path = path;
    return {};
}

int PrivateRedis::pid() const {
    return child_ && !child_->ended() ? child_->pid() : -1;
}

void PrivateRedis::set_state(RedisState state, Error trouble) {
    redis_state_ = state;
    trouble_ = std::move(trouble);
    changed_.notify_all();
    if (on_state_) on_state_(redis_state_, trouble_);
}

// --- Start and stop
// -------------------------------------------------------------------------------

task<Result<>> PrivateRedis::start(int64_t limit_ms) {
    int64_t until = reactor_.now_ms() + limit_ms;
    auto taken = co_await take_over_lock();
    if (!taken) co_return taken;
    gate_.spawn(supervise());
    while (redis_state_ != RedisState::running) {
        if (redis_state_ == RedisState::failed) co_return tl::unexpected<Error>(trouble_);
        if (stopping_) co_return fail(ErrorCode::cancelled, "jobqd is stopping");
        int64_t left = until - reactor_.now_ms();
        if (left <= 0)
            co_return fail(ErrorCode::timeout,
                           "the private Redis was not ready within " + std::to_string(limit_ms) +
                               " ms" + (trouble_.text.empty() ? "" : ": ") + trouble_.text);
        auto change = changed_.wait(left);
        co_await change;
    }
    co_return Result<>();
}

// A jobqd that was killed takes its Redis with it (parent-death signal), which takes a moment; what
// Redis had forked for a rewrite lives longer. Nobody but them holds this lock: `lock` is ours.
task<Result<>> PrivateRedis::take_over_lock() {
    int64_t began = reactor_.now_ms();
    int asked = 0;  // 0: not yet, 1: TERM, 2: KILL
    while (!state_.try_redis_lock()) {
        int64_t waited = reactor_.now_ms() - began;
        bool term = asked == 0 && waited >= limits::kRedisLeftoverMs / 5;
        bool kill = asked == 1 && waited >= limits::kRedisLeftoverMs / 2;
        if (term || kill) {
            ++asked;
            for (int pid : state_.redis_lock_holders())
                ::kill(pid, term ? SIGTERM : SIGKILL);
        }
        if (waited >= limits::kRedisLeftoverMs || stopping_) {
            std::string pids;
            for (int pid : state_.redis_lock_holders())
                pids += " " + std::to_string(pid);
            co_return fail(ErrorCode::conflict,
                           "a Redis left over from an earlier jobqd still uses " + state_.path() +
                               " and does not end (pid" + (pids.empty() ? " unknown" : pids) +
                               "): end it, then start jobqd again");
        }
        sleep_for pause(reactor_, kLeftoverPollMs);
        co_await pause;
    }
    co_return Result<>();
}

task<void> PrivateRedis::stop() {
    stopping_ = true;
    wake_.notify_all();
    changed_.notify_all();
    if (child_) {
        child_->signal(SIGTERM);
        child_->signal(SIGCONT);  // one that was stopped would not hear it
    }
    int64_t until = reactor_.now_ms() + limits::kRedisStopMs;
    while (child_ && !end_ && reactor_.now_ms() < until) {
        auto ended = ended_.wait(until - reactor_.now_ms());
        co_await ended;
    }
    if (child_ && !end_) child_->signal_group(SIGKILL);
    auto left = gate_.close();
    co_await left;
    set_state(RedisState::stopped, Error{});
}

void PrivateRedis::restart(const std::string& why) {
    const int64_t now = reactor_.now_ms();
    bool soon = asked_to_end_ms_ != 0 && now - asked_to_end_ms_ < limits::kRedisStopMs;
    if (!child_ || end_ || stopping_ || soon) return;
    asked_to_end_ms_ = now;
    log(LogLevel::error, "redis.restart", why);
    child_->signal(SIGTERM);
    reactor_.cancel(kill_timer_);
    // What it acknowledged it has written, but for what everysec may lose.
    kill_timer_ = reactor_.after(limits::kRedisRestartMs, [this, pid = child_->pid()] {
        kill_timer_ = 0;
        if (child_ && !end_ && child_->pid() == pid) child_->signal_group(SIGKILL);
    });
}

// --- One run after another
// ------------------------------------------------------------------------

task<void> PrivateRedis::supervise() {
    while (!stopping_) {
        int64_t began = reactor_.now_ms();
        auto run = run_once();
        co_await run;
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

task<void> PrivateRedis::run_once() {
    end_.reset();
    log_tail_.clear();
    log_bytes_.clear();
    set_state(RedisState::starting, Error{});
    auto ready = mend_files();
    if (ready) ready = spawn_redis();
    if (!ready) {
        trouble_ = ready.error();
        co_return;
    }
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

Result<> PrivateRedis::mend_files() {
    if (settings_.durability == Durability::memory) return {};
    std::string time = format_rfc3339(reactor_.wall_ms());
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    auto mended = mend_aof_tail(state_.redis_dir(), time);
    if (!mended) return tl::unexpected<Error>(mended.error());
    if (!mended->empty() && on_mended_) on_mended_(*mended);
    return {};
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
        return fail(ErrorCode::busy, "can't start the private Redis: no pipe for it");
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
