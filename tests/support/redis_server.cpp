// RedisServer: see redis_server.h. fork and exec by hand: the child needs a parent-death signal and
// an argv[0] that is not the name of its file.
#include "tests/support/redis_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "tests/support/poll.h"

namespace jobq::test {
namespace {

// A connected socket, or -1.
int connect_to(const std::string& path) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

std::string last_lines(const std::string& text, int lines) {
    size_t at = text.size();
    while (lines-- >= 0 && at != text.npos && at > 0)
        at = text.rfind('\n', at - 1);
    return at == text.npos ? text : text.substr(at);
}

}  // namespace

std::string redis_binary() {
    const char* path = std::getenv("PATH");
    std::string dirs = std::string(path ? path : "/usr/bin") + ":/usr/bin:/usr/local/bin:";
    for (const char* program : {"redis-server", "valkey-server", "redis-check-rdb"})
        for (size_t from = 0; from < dirs.size();) {
            size_t end = dirs.find(':', from);
            std::string candidate = dirs.substr(from, end - from) + "/" + program;
            if (access(candidate.c_str(), X_OK) == 0) return candidate;
            from = end + 1;
        }
    throw std::runtime_error("no redis-server in PATH: apt-get install redis-server");
}

RedisServer::RedisServer(RedisServerOptions options)
    : options_(std::move(options)),
      socket_path_(dir_ / "redis.sock"),
      uncaught_at_start_(std::uncaught_exceptions()) {
    start();
}

RedisServer::~RedisServer() {
    stop();
    if (std::uncaught_exceptions() > uncaught_at_start_)
        std::fprintf(stderr, "--- end of the log of Redis in %s:%s\n", dir_.path().c_str(),
                     last_lines(log(), 30).c_str());
}

std::string RedisServer::log() const {
    return read_file(dir_ / "redis.log");
}

void RedisServer::start() {
    if (pid_ > 0) return;
    std::string binary = redis_binary();
    std::vector<std::string> args{"redis-server",
                                  "--port",
                                  "0",
                                  "--unixsocket",
                                  socket_path_,
                                  "--unixsocketperm",
                                  "700",
                                  "--dir",
                                  dir_.path(),
                                  "--logfile",
                                  dir_ / "redis.log",
                                  "--save",
                                  "",
                                  "--appendonly",
                                  options_.fsync ? "yes" : "no",
                                  "--appendfsync",
                                  options_.fsync ? "always" : "no"};
    args.insert(args.end(), options_.extra.begin(), options_.extra.end());
    std::vector<char*> argv;
    for (auto& arg : args)
        argv.push_back(arg.data());
    argv.push_back(nullptr);

    pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("can't fork for redis-server");
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        close_range(3, ~0U, 0);
        execv(binary.c_str(), argv.data());
        _exit(127);
    }
    auto settled = [this] { return answers() || waitpid(pid_, nullptr, WNOHANG) != 0; };
    bool up = eventually(settled, std::chrono::seconds(30));  // on a machine that is busy
    if (up && answers()) return;
    std::string seen = last_lines(log(), 30);
    kill();
    throw std::runtime_error(binary + " does not answer on " + socket_path_ + ":" + seen);
}

bool RedisServer::answers() const {
    int fd = connect_to(socket_path_);
    if (fd < 0) return false;
    timeval limit{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char reply[8] = {};
    bool pong = write(fd, "PING\r\n", 6) == 6 && read(fd, reply, sizeof reply) > 0 &&
                std::string_view(reply, 5) == "+PONG";
    close(fd);
    return pong;
}

void RedisServer::signal(int number) {
    if (pid_ > 0) ::kill(pid_, number);
}

void RedisServer::end_with(int number) {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, number);
    bool gone = eventually([this] { return waitpid(pid_, nullptr, WNOHANG) != 0; });
    if (!gone) {
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
}

void RedisServer::kill() {
    end_with(SIGKILL);
}

void RedisServer::stop() {
    end_with(SIGTERM);
}

}  // namespace jobq::test
