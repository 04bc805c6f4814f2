// PrivateRedis: the redis-server that jobqd starts and keeps running for itself, on a Unix socket
// in its state directory. Made by the app when no [redis] url is configured.
//
//   starting --> running <--> backing_off        failed: needs a person (damaged data, no start)
//      +-----------^---------------+--> failed   stopped: by stop()
// Must stay true: never two Redis servers on one directory (state_dir.h), and with durability fsync
// a SIGKILL of anything loses nothing that was acknowledged.
#pragma once

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "core/config/config.h"
#include "core/net/redis_url.h"
#include "daemon/loop/child.h"
#include "daemon/loop/pipe.h"
#include "daemon/redis/reconnect_pause.h"
#include "daemon/redis/redis_binary.h"
#include "daemon/redis/state_dir.h"

namespace jobq {

enum class RedisState : uint8_t { stopped, starting, running, backing_off, failed };
std::string_view to_string(RedisState state);

class PrivateRedis {
  public:
    struct Settings {
        std::string state_dir;
        std::string binary;       // as [redis] binary
        std::string path;         // PATH for the look-up; "": the usual places
        std::string runtime_dir;  // $XDG_RUNTIME_DIR: for a socket whose path is too long here
        Durability durability = Durability::fsync;
        int64_t max_memory_bytes = 0;
    };

    // Finds the program, takes the directory. Blocks for some milliseconds. Errors: as of
    // find_redis() and StateDir::open().
    static Result<std::unique_ptr<PrivateRedis>> prepare(UvReactor& reactor, Settings settings);
    ~PrivateRedis();  // only after stop(), if it was started
    PrivateRedis(const PrivateRedis&) = delete;

    // Starts it and its supervision; done once it is up. Errors: config: it does not start, with
    // its reason; corrupt: its data are damaged, with the command to run; conflict: a Redis is left
    // over and does not end; timeout: no sign of life for limit_ms, though it runs. How long a
    // start takes is nobody's to say: its files are checked and its data are loaded for as long as
    // that goes on, which the link, started on_spawn(), sees and tells by note_life().
    task<Result<>> start(int64_t limit_ms);
    void note_life(int64_t at_ms);
    // TERM, and KILL after limits::kRedisStopMs; also of a start() that waits. The link should be
    // stopped before. May be called again.
    task<void> stop();

    // Ends it and starts it again: it goes on in a way that only a start ends. At most once in a
    // while, whoever asks how often.
    void restart(const std::string& why);

    // For the link: good from prepare() on, the same after each restart.
    const RedisAddress& address() const { return address_; }

    const RedisBinary& binary() const { return binary_; }

    const std::string& state_dir() const { return state_.path(); }

    RedisState state() const { return redis_state_; }

    // Why it is backing_off or failed, a sentence.
    const Error& trouble() const { return trouble_; }

    int pid() const;  // -1: none

    int restarts() const { return restarts_; }

    void on_state(std::function<void(RedisState, const Error&)> fn) { on_state_ = std::move(fn); }

    // Told each time that its process has been started.
    void on_spawn(std::function<void()> fn) { on_spawn_ = std::move(fn); }

    // Told what had to be done to its files before it could start, see aof_tail.h.
    void on_mended(std::function<void(const std::string&)> fn) { on_mended_ = std::move(fn); }

    // Redis's own log, a line at a time; `level` is Redis's mark: '.', '-', '*' or '#' (warning).
    void on_log(std::function<void(char level, std::string line)> fn) { on_log_ = std::move(fn); }

  private:
    static constexpr const char* kUsualPath =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    PrivateRedis(UvReactor& reactor, Settings settings, StateDir state, RedisBinary binary);
    Result<> choose_socket();
    task<Result<>> take_over_lock();
    task<void> supervise();
    task<void> run_once();
    task<void> end_after(std::exception_ptr escaped);
    task<Result<>> mend_files();
    Result<> spawn_redis();
    void take_log(std::string_view bytes);
    void read_log_lines();
    void end_run(const ChildEnd& end);
    Error reason_of(const ChildEnd& end) const;
    void set_state(RedisState state, Error trouble);

    UvReactor& reactor_;
    Settings settings_;
    StateDir state_;
    RedisBinary binary_;
    RedisAddress address_;
    std::string own_socket_dir_;  // made for the socket alone; "" when it is in state_dir
    Gate gate_;
    Signal changed_, wake_, ended_;
    ReconnectPause backoff_;
    std::unique_ptr<Child> child_;
    int64_t asked_to_end_ms_ = 0;
    TimerId kill_timer_ = 0;
    std::unique_ptr<PipeReader> log_pipe_;
    std::string log_bytes_;             // of a line that is not complete
    std::deque<std::string> log_tail_;  // of this run
    std::optional<ChildEnd> end_;
    std::shared_ptr<bool> alive_;  // what is deferred asks whether we still are
    RedisState redis_state_ = RedisState::stopped;
    Error trouble_;
    std::function<void(RedisState, const Error&)> on_state_;
    std::function<void(char, std::string)> on_log_;
    std::function<void(const std::string&)> on_mended_;
    std::function<void()> on_spawn_;
    std::atomic<bool> give_up_ = false;  // the check of its files
    int64_t life_ms_ = 0;                // its last sign of life
    int restarts_ = 0, tries_ = 0;
    int faults_ = 0;  // times it ended by itself, without a stable while in between
    bool stopping_ = false, was_up_ = false, log_planned_ = false;
};

}  // namespace jobq
