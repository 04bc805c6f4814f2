// PrivateRedis: see private_redis.h. start() and stop() only talk to supervise(), which is its life
// (private_redis_run.cpp).
#include "daemon/redis/private_redis.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/id.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kLeftoverPollMs = 10;

std::string random_password() {
    std::string bytes;
    for (int n = 0; n < 4; ++n) {
        uint64_t number = random_u64();
        bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    return hex(bytes);
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
            return fail(ErrorCode::config,
                        "the path " + path +
                            " is too long for a socket, and no socket can be created in " + dir +
                            " (" + std::strerror(errno) + "); choose a shorter state_dir");
        own_socket_dir_ = dir;
        path = dir + "/redis.sock";
    }
    address_.endpoint.unix_path = path;
    address_.endpoint.own = true;
    return {};
}

void PrivateRedis::note_life(int64_t at_ms) {
    life_ms_ = std::max(life_ms_, at_ms);
}

int PrivateRedis::pid() const {
    return child_ && !child_->ended() ? child_->pid() : -1;
}

void PrivateRedis::set_state(RedisState state, Error trouble) {
    redis_state_ = state;
    note_life(reactor_.now_ms());
    trouble_ = std::move(trouble);
    changed_.notify_all();
    if (on_state_) on_state_(redis_state_, trouble_);
}

// --- Start and stop
// -------------------------------------------------------------------------------

task<Result<>> PrivateRedis::start(int64_t limit_ms) {
    auto taken = co_await take_over_lock();
    if (!taken) co_return taken;
    note_life(reactor_.now_ms());
    gate_.spawn(supervise());
    while (redis_state_ != RedisState::running) {
        if (redis_state_ == RedisState::failed) co_return tl::unexpected<Error>(trouble_);
        if (stopping_) co_return fail(ErrorCode::cancelled, "jobqd is shutting down");
        int64_t left = life_ms_ + limit_ms - reactor_.now_ms();
        if (left <= 0 && child_)
            co_return fail(ErrorCode::timeout,
                           "the private Redis is not ready and gave no sign of life for " +
                               format_duration(limit_ms) + (trouble_.text.empty() ? "" : ": ") +
                               trouble_.text);
        if (left <= 0) left = limit_ms;  // its files are looked at
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
                               "); end it, then start jobqd again");
        }
        sleep_for pause(reactor_, kLeftoverPollMs);
        co_await pause;
    }
    co_return Result<>();
}

task<void> PrivateRedis::stop() {
    stopping_ = give_up_ = true;
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

}  // namespace jobq
