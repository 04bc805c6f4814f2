// See cli_kit.h. Nothing here sleeps: poll() with deadlines, and threads that end when their socket
// is shut down.
#include "tests/support/live/cli_kit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace jobq::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    int read = -1, write = -1;

    Pipe() {
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        read = fds[0];
        write = fds[1];
    }

    ~Pipe() {
        close_read();
        close_write();
    }

    void close_read() { close_one(read); }

    void close_write() { close_one(write); }

    static void close_one(int& fd) {
        if (fd >= 0) ::close(fd);
        fd = -1;
    }
};

std::vector<std::string> environment_of(const CliCall& call) {
    std::map<std::string, std::string> all = call.env;
    all.emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
    all.emplace("HOME", "/nonexistent");
    // Sanitizers and coverage of the program under test keep their settings.
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"})
        if (const char* value = std::getenv(name)) all.emplace(name, value);
    std::vector<std::string> lines;
    for (const auto& [name, value] : all)
        lines.push_back(name + "=" + value);
    return lines;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts)
        result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

[[noreturn]] void become(const CliCall& call, char** argv, char** envp, const Pipe& in,
                         const Pipe& out, const Pipe& err) {
    const int null = ::open("/dev/null", O_RDONLY);
    dup2(call.no_input ? null : in.read, STDIN_FILENO);
    dup2(out.write, STDOUT_FILENO);
    dup2(err.write, STDERR_FILENO);
    if (!call.cwd.empty() && chdir(call.cwd.c_str()) != 0) _exit(126);
    execve(argv[0], argv, envp);
    _exit(127);
}

// Feeds stdin and drains stdout and stderr until both end or the limit passes; false then.
bool converse(const CliCall& call, Pipe& in, Pipe& out, Pipe& err, Ran& ran) {
    const auto end = Clock::now() + std::chrono::seconds(call.limit_s);
    size_t fed = 0;
    if (call.no_input || call.input.empty()) in.close_write();
    while (out.read >= 0 || err.read >= 0) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
        if (left <= 0) return false;
        pollfd fds[3] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}, {in.write, POLLOUT, 0}};
        if (::poll(fds, 3, int(left)) <= 0) continue;
        char buffer[65536];
        for (int i = 0; i < 2; ++i) {
            if (fds[i].revents == 0) continue;
            Pipe& from = i == 0 ? out : err;
            const ssize_t got = ::read(from.read, buffer, sizeof buffer);
            if (got > 0) {
                (i == 0 ? ran.out : ran.err).append(buffer, size_t(got));
            } else {
                from.close_read();
            }
        }
        if (fds[2].revents == 0) continue;
        const ssize_t sent = ::write(in.write, call.input.data() + fed,
                                     std::min<size_t>(call.input.size() - fed, 4096));
        if (sent > 0) fed += size_t(sent);
        if (sent < 0 || fed == call.input.size()) in.close_write();
    }
    return true;
}

}  // namespace

Ran run_cli(const CliCall& call) {
    signal(SIGPIPE, SIG_IGN);
    Pipe in, out, err;
    std::vector<std::string> texts{call.program};
    texts.insert(texts.end(), call.args.begin(), call.args.end());
    auto lines = environment_of(call);
    auto argv = pointers(texts), envp = pointers(lines);
    const auto begin = Clock::now();
    const pid_t pid = fork();
    if (pid == 0) become(call, argv.data(), envp.data(), in, out, err);
    in.close_read();
    out.close_write();
    err.close_write();
    if (call.started) call.started(pid);
    Ran ran;
    if (!converse(call, in, out, err, ran)) kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    ran.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ran;
}

bool Peer::read_line(std::string& line) {
    while (true) {
        const size_t end = buffer_.find('\n');
        if (end != std::string::npos) {
            line = buffer_.substr(0, end);
            if (line.ends_with('\r')) line.pop_back();
            buffer_.erase(0, end + 1);
            return true;
        }
        char bytes[65536];
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
        if (got <= 0) return false;
        buffer_.append(bytes, size_t(got));
    }
}

void Peer::write(const std::string& bytes) const {
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t sent = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) return;
        done += size_t(sent);
    }
}

void Peer::bulk(const std::string& json) const {
    write("$" + std::to_string(json.size()) + "\r\n" + json + "\r\n");
}

std::string job_json(const std::string& jid, const std::string& state, const std::string& more) {
    nlohmann::json job{
        {"jid", jid},           {"type", "email"},    {"queue", "default"},
        {"state", state},       {"priority", 5},      {"created_at", "2026-11-22T10:00:00Z"},
        {"attempts", 1},        {"crashes", 0},       {"errors", nlohmann::json::array()},
        {"args_preview", "[]"}, {"has_result", false}};
    job.update(nlohmann::json::parse(more));
    return job.dump();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

FakeDaemon::FakeDaemon(Handle handle, std::string greeting, int* port, Serves serves)
    : path_(directory_ / "jobq.sock"),
      handle_(std::move(handle)),
      greeting_(std::move(greeting)),
      serves_(serves) {
    if (port == nullptr) {
        listen_unix();
    } else {
        listen_tcp(*port);
    }
    thread_ = std::thread([this] { serve(); });
}

void FakeDaemon::listen_unix() {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.c_str(), path_.size() + 1);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        listen(listener_, 16) != 0)
        throw std::runtime_error("can't listen on " + path_);
}

void FakeDaemon::listen_tcp(int& port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&name), size) != 0 ||
        listen(listener_, 16) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size) != 0)
        throw std::runtime_error("can't listen on loopback");
    port = ntohs(name.sin_port);
}

FakeDaemon::~FakeDaemon() {
    stop_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_)
            ::shutdown(fd, SHUT_RDWR);
    }
    thread_.join();
    for (auto& thread : threads_)
        thread.join();
    ::close(listener_);
}

void FakeDaemon::serve() {
    while (!stop_) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        {
            const std::lock_guard lock(mutex_);
            open_.push_back(fd);
        }
        if (serves_ == Serves::all_at_once) {
            threads_.emplace_back([this, fd] { serve_and_close(fd); });
        } else {
            serve_and_close(fd);
        }
    }
}

void FakeDaemon::serve_and_close(int fd) {
    if (!stop_) serve_one(fd);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
}

void FakeDaemon::serve_one(int fd) {
    ++connections_;
    Peer peer(fd);
    peer.write(greeting_);
    std::string line;
    while (peer.read_line(line)) {
        const bool hello = line.starts_with("HELLO ");
        const std::string request = line.starts_with("JOBQ ") ? line.substr(5) : line;
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
        }
        const size_t space = request.find(' ');
        const std::string verb = request.substr(0, space);
        const std::string json = space == std::string::npos ? "" : request.substr(space + 1);
        if (hello && greeting_.find("\"s\"") == std::string::npos) {
            peer.write("+OK\r\n");
            continue;
        }
        const std::lock_guard lock(handling_);
        if (!handle_(peer, verb, json)) return;
    }
}

CliCall FakeDaemon::call(std::vector<std::string> args) const {
    CliCall made;
    made.args = std::move(args);
    made.env["JOBQ_URL"] = url();
    return made;
}

std::vector<std::string> FakeDaemon::sent(const std::string& verb) const {
    std::vector<std::string> found;
    for (const auto& request : requests())
        if (request.starts_with(verb + " ")) found.push_back(request.substr(verb.size() + 1));
    return found;
}

std::vector<std::string> FakeDaemon::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

}  // namespace jobq::test
