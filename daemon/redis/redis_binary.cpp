// find_redis: PATH lookup and one `--version`, with a time limit, since the configured program can
// be anything. Blocking (milliseconds): start-up only.
#include "daemon/redis/redis_binary.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "daemon/loop/pipe.h"
#include "daemon/redis/greeting.h"

namespace jobq {
namespace {

constexpr size_t kVersionBytes = 4096;

bool is_program(const std::string& path) {
    struct stat file {};

    return ::stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> look_up(std::string_view name, std::string_view path) {
    for (std::string_view dir : split(path, ':')) {
        // An empty or relative entry means the current directory: no place to take a server from.
        if (!dir.starts_with("/")) continue;
        std::string candidate = std::string(dir) + "/" + std::string(name);
        if (is_program(candidate)) return candidate;
    }
    return std::nullopt;
}

Result<std::string> locate(const std::string& wanted, const std::string& path) {
    if (wanted.find('/') != std::string::npos) {
        char* absolute = ::realpath(wanted.c_str(), nullptr);
        // Not the resolved name: a link called redis-server must keep its name.
        bool found = absolute != nullptr && is_program(wanted);
        ::free(absolute);
        if (found && wanted.starts_with("/")) return wanted;
        if (found)
            return fail(ErrorCode::config,
                        "[redis] binary = \"" + wanted + "\" must be an absolute path");
        return fail(ErrorCode::config,
                    "[redis] binary = \"" + wanted + "\": there is no such program");
    }
    if (!wanted.empty()) {
        if (auto found = look_up(wanted, path)) return *found;
        return fail(ErrorCode::config,
                    "[redis] binary = \"" + wanted + "\": no such program in PATH");
    }
    for (std::string_view name : {"redis-server", "valkey-server", "redis-check-rdb"})
        if (auto found = look_up(name, path)) return *found;
    return fail(ErrorCode::config,
                "redis-server was not found; install it (Debian: apt install redis-tools), name it "
                "with [redis] binary, or use another Redis with [redis] url");
}

// What is read from `fd` until its end or the time limit.
std::string read_limited(int fd, int64_t limit_ms) {
    std::string out;
    timespec start{};
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (out.size() < kVersionBytes) {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t spent =
            (now.tv_sec - start.tv_sec) * 1'000 + (now.tv_nsec - start.tv_nsec) / 1'000'000;
        pollfd wait{fd, POLLIN, 0};
        if (spent >= limit_ms) break;
        int ready = ::poll(&wait, 1, int(limit_ms - spent));
        if (ready < 0 && errno == EINTR) continue;  // told to stop, while it starts
        if (ready <= 0) break;
        char bytes[1024];
        ssize_t got = ::read(fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        out.append(bytes, size_t(got));
    }
    return out;
}

Result<std::string> version_output(const RedisBinary& binary) {
    auto pipe = make_pipe();
    if (!pipe) return tl::unexpected<Error>(pipe.error());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe->write_fd, 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    std::string name = binary.argv0, flag = "--version", locale = "LC_ALL=C";
    char* argv[] = {name.data(), flag.data(), nullptr};
    char* env[] = {locale.data(), nullptr};
    pid_t pid = -1;
    int status = ::posix_spawn(&pid, binary.program.c_str(), &actions, nullptr, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    close_fd(pipe->write_fd);
    std::string out;
    if (status == 0) out = read_limited(pipe->read_fd, limits::kRedisVersionMs);
    close_fd(pipe->read_fd);
    if (status != 0)
        return fail(ErrorCode::config,
                    "can't run " + binary.program + ": " + std::strerror(status));
    // It has said all we want; a program that never ends must not hold up the start.
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return out;
}

}  // namespace

Result<RedisBinary> find_redis(const std::string& wanted, const std::string& path) {
    auto program = locate(wanted, path);
    if (!program) return tl::unexpected<Error>(program.error());
    RedisBinary binary;
    binary.program = *program;
    auto out = version_output(binary);
    if (!out) return tl::unexpected<Error>(out.error());
    // "Redis server v=7.0.15 sha=...", "Valkey server v=8.0.1 sha=..."
    size_t at = out->find(" v=");
    if (at == std::string::npos)
        return fail(ErrorCode::config, binary.program +
                                           " is not a Redis server: its --version says \"" +
                                           printable(utf8_prefix(trim(*out), 80)) + "\"");
    binary.version = printable(out->substr(at + 3, out->find_first_of(" \n", at + 3) - at - 3));
    if (redis_major_version("redis_version:" + binary.version) < kRedisMajorNeeded)
        return fail(ErrorCode::config,
                    binary.program + " is version " + binary.version + ", but jobq requires " +
                        std::to_string(kRedisMajorNeeded) +
                        ".0 or newer; install one and name it with [redis] binary");
    return binary;
}

}  // namespace jobq
