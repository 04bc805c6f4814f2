// See worker_process.h.
#include "tests/e2e/worker_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "tests/support/poll.h"

namespace jobq::test {
namespace {

int connect_unix(const std::string& path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

// False when one side has ended.
bool carry(int from, int to) {
    char buffer[65536];
    const ssize_t got = ::read(from, buffer, sizeof buffer);
    for (ssize_t at = 0; at < got;) {
        const ssize_t sent = ::send(to, buffer + at, size_t(got - at), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
    }
    return got > 0;
}

}  // namespace

TcpProxy::TcpProxy(std::string unix_path) : unix_path_(std::move(unix_path)) {
    listen_again();
    thread_ = std::thread([this] { serve(); });
}

TcpProxy::~TcpProxy() {
    stop_ = true;
    thread_.join();
    close_all();
}

void TcpProxy::listen_again() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(uint16_t(port_));
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, any, size) != 0 || listen(listener_, 64) != 0)
        throw std::runtime_error("the proxy can't listen");
    getsockname(listener_, any, &size);
    port_ = ntohs(address.sin_port);
}

void TcpProxy::close_all() {
    for (const auto& [client, daemon] : pairs_) {
        close(client);
        close(daemon);
    }
    pairs_.clear();
    if (listener_ >= 0) close(listener_);
    listener_ = -1;
}

void TcpProxy::cut() {
    wants_cut_ = true;
    eventually([this] { return is_cut_.load(); });
}

void TcpProxy::mend() {
    wants_cut_ = false;
    eventually([this] { return !is_cut_.load(); });
}

void TcpProxy::serve() {
    while (!stop_) {
        if (wants_cut_ && !is_cut_) close_all();
        if (!wants_cut_ && is_cut_) listen_again();
        is_cut_ = wants_cut_.load();
        std::vector<pollfd> fds{{listener_, POLLIN, 0}};
        for (const auto& [client, daemon] : pairs_) {
            fds.push_back({client, POLLIN, 0});
            fds.push_back({daemon, POLLIN, 0});
        }
        if (::poll(fds.data(), fds.size(), 5) <= 0) continue;
        std::vector<std::pair<int, int>> left;
        for (size_t i = 0; i < pairs_.size(); ++i) {
            const auto [client, daemon] = pairs_[i];
            bool open = fds[1 + 2 * i].revents == 0 || carry(client, daemon);
            open = open && (fds[2 + 2 * i].revents == 0 || carry(daemon, client));
            if (open) {
                left.emplace_back(client, daemon);
            } else {
                close(client);
                close(daemon);
            }
        }
        pairs_ = std::move(left);
        if (fds[0].revents == 0) continue;
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const int daemon = client < 0 ? -1 : connect_unix(unix_path_);
        if (daemon >= 0) {
            pairs_.emplace_back(client, daemon);
        } else if (client >= 0) {
            close(client);
        }
    }
}

WorkerProcess::WorkerProcess(const LiveDaemon& daemon, std::vector<std::string> args,
                             std::string url) {
    const CliCall call = daemon.call({});
    std::vector<std::string> words{call.program, "work"};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<std::string> env{"PATH=/usr/bin:/bin", "HOME=" + dir_.path(), "SECRET=not-for-jobs",
                                 "JOBQ_URL=" + (url.empty() ? call.env.at("JOBQ_URL") : url)};
    std::vector<char*> argv, envp;
    for (auto& word : words)
        argv.push_back(word.data());
    for (auto& line : env)
        envp.push_back(line.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const std::string out_path = dir_ / "out", err_path = dir_ / "err";
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int null = open("/dev/null", O_RDONLY);
        const int out = open(out_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        const int err = open(err_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(null, 0);
        dup2(out, 1);
        dup2(err, 2);
        execve(argv[0], argv.data(), envp.data());
        _exit(127);
    }
}

WorkerProcess::~WorkerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, SIGKILL);
    wait_end();
}

void WorkerProcess::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

int WorkerProcess::wait_end(int limit_s) {
    if (pid_ <= 0) return status_;
    int how = 0;
    const auto ended = [&] { return waitpid(pid_, &how, WNOHANG) != 0; };
    if (!eventually(ended, std::chrono::seconds(limit_s))) return -1;
    pid_ = 0;
    status_ = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return status_;
}

bool WorkerProcess::says(const std::string& text, int limit_s) const {
    return eventually([&] { return contains(err(), text) || contains(out(), text); },
                      std::chrono::seconds(limit_s));
}

}  // namespace jobq::test
