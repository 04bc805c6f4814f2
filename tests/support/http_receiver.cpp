#include "tests/support/http_receiver.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <stdexcept>

#include "tests/support/tls_end.h"

namespace jobq::test {
namespace {

int64_t monotonic_ms() {
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

ReceivedRequest parse_head(const std::string& head) {
    ReceivedRequest request;
    size_t end = head.find("\r\n");
    size_t space = head.find(' ');
    request.method = head.substr(0, space);
    request.target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    while (end < head.size()) {
        size_t from = end + 2;
        end = std::min(head.find("\r\n", from), head.size());
        size_t colon = head.find(':', from);
        if (colon == std::string::npos || colon > end) continue;
        std::string name = head.substr(from, colon - from);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return char(std::tolower(c)); });
        size_t value = std::min(head.find_first_not_of(' ', colon + 1), end);
        request.headers[name] = head.substr(value, end - value);
    }
    return request;
}

// A socket bound to `port`, 0: a free one, which it then says.
int bound_socket(int& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd, any, sizeof address) != 0)
        throw std::runtime_error("can't bind port " + std::to_string(port));
    socklen_t size = sizeof address;
    ::getsockname(fd, any, &size);
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace

// The kernel gives a bound port to nobody who asks for a free one; who names it may bind it too,
// as long as nobody listens there.
ReservedPort::ReservedPort() : fd_(bound_socket(port_)) {}

ReservedPort::~ReservedPort() {
    ::close(fd_);
}

HttpReceiver::HttpReceiver(Answer answer, int port, std::optional<TestAuthority::Pair> tls)
    : answer_(std::move(answer)), tls_(std::move(tls)), port_(port) {
    listen_fd_ = bound_socket(port_);
    if (::listen(listen_fd_, 1'024) != 0)
        throw std::runtime_error("can't listen on port " + std::to_string(port_));
    acceptor_ = std::thread([this] { accept_all(); });
}

HttpReceiver::~HttpReceiver() {
    stop();
}

void HttpReceiver::stop() {
    if (stopped_.exchange(true)) return;
    ::shutdown(listen_fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(listen_fd_);
    {
        std::lock_guard lock(mutex_);
        for (int fd : fds_)
            ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_)
        thread.join();
    for (int fd : fds_)
        ::close(fd);
}

std::string HttpReceiver::url(const std::string& path) const {
    return std::string(tls_ ? "https" : "http") + "://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<ReceivedRequest> HttpReceiver::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}

size_t HttpReceiver::count() const {
    std::lock_guard lock(mutex_);
    return requests_.size();
}

std::string HttpReceiver::reply(int status, const std::string& body, const std::string& headers) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Told\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
           body;
}

void HttpReceiver::accept_all() {
    while (!stopped_) {
        int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        std::lock_guard lock(mutex_);
        fds_.push_back(fd);  // closed at the end, so that no other thread gets the number
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

bool HttpReceiver::read_request(int fd, TlsEnd* tls, std::string& in, ReceivedRequest& request) {
    char space[16 << 10];
    size_t need = std::string::npos;
    while (true) {
        size_t head = in.find("\r\n\r\n");
        if (head != std::string::npos && need == std::string::npos) {
            request = parse_head(in.substr(0, head + 2));
            const std::string& length = request.headers["content-length"];
            need = head + 4 + (length.empty() ? 0 : std::stoul(length));
        }
        if (in.size() >= need && need != std::string::npos) {
            request.body = in.substr(head + 4, need - head - 4);
            in.erase(0, need);
            return true;
        }
        ssize_t got = tls ? tls->receive(space, sizeof space) : ::recv(fd, space, sizeof space, 0);
        if (got <= 0) return false;
        in.append(space, size_t(got));
    }
}

void HttpReceiver::serve(int fd) {
    {
        std::lock_guard lock(mutex_);
        most_open_ = std::max(most_open_.load(), ++open_);
    }
    if (!tls_) {
        converse(fd, nullptr);
    } else if (TlsEnd tls(fd, *tls_); tls.trouble().empty()) {
        converse(fd, &tls);
    }
    --open_;
    ::shutdown(fd, SHUT_RDWR);
}

void HttpReceiver::converse(int fd, TlsEnd* tls) {
    std::string in;
    ReceivedRequest request;
    while (read_request(fd, tls, in, request)) {
        request.at_ms = monotonic_ms();
        {
            std::lock_guard lock(mutex_);
            requests_.push_back(request);
        }
        std::string bytes = answer_(request);
        if (bytes == "reset") {
            linger hard{1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            // Closing it resets; its number stays taken.
            int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
            ::dup3(nothing, fd, O_CLOEXEC);
            ::close(nothing);
            return;
        }
        size_t at = 0;
        while (at < bytes.size()) {
            const char* from = bytes.data() + at;
            const size_t left = bytes.size() - at;
            ssize_t sent = tls ? tls->send(from, left) : ::send(fd, from, left, MSG_NOSIGNAL);
            if (sent <= 0) return;
            at += size_t(sent);
        }
    }
}

}  // namespace jobq::test
