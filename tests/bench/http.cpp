// Requests a second of the HTTP API: keep-alive connections, each with one request at a time.
//
//   bench_http --port P [--connections 64] [--requests N] [--pid JOBQD] [--get TARGET]
//
// Without --get it posts jobs of the type noop to a queue that should be paused.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/bench/bench_kit.h"

namespace {

using namespace jobq::bench;

struct Connection {
    int fd = -1;
    double asked_s = 0;
    std::string in;
};

int connect_to(int64_t port) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("nobody listens there");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

std::string request_text(const std::string& get) {
    if (!get.empty()) return "GET " + get + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const std::string body =
        R"({"type":"noop","queue":"default","payload":{"to":"someone@example.org","id":12345}})";
    return "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The whole answer is there; its status must be 2xx.
bool is_whole(const std::string& in) {
    constexpr std::string_view kLength = "Content-Length: ";
    const size_t end = in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    if (in[9] != '2') throw std::runtime_error("refused: " + in);
    const size_t at = in.find(kLength);
    return in.size() >= end + 4 + std::stoul(in.substr(at + kLength.size(), 12));
}

}  // namespace

int main(int argc, char** argv) {
    const int64_t requests = option(argc, argv, "requests", 100'000);
    const int64_t count = option(argc, argv, "connections", 64);
    const auto pid = pid_t(option(argc, argv, "pid", 0));
    const std::string text = request_text(text_option(argc, argv, "get"));
    std::vector<Connection> connections(static_cast<size_t>(count));
    std::vector<double> took_ms;
    const int watch = epoll_create1(EPOLL_CLOEXEC);
    int64_t sent = 0, answered = 0;
    auto ask = [&](Connection& one) {
        if (sent++ >= requests) return;
        one.asked_s = now_s();
        if (::send(one.fd, text.data(), text.size(), MSG_NOSIGNAL) != ssize_t(text.size()))
            throw std::runtime_error("the connection is gone");
    };
    for (auto& one : connections) {
        one.fd = connect_to(option(argc, argv, "port", 7420));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &one;
        epoll_ctl(watch, EPOLL_CTL_ADD, one.fd, &event);
    }
    const double cpu = cpu_s(pid), begin = now_s();
    for (auto& one : connections)
        ask(one);
    while (answered < requests) {
        epoll_event events[64];
        const int ready = epoll_wait(watch, events, 64, 10'000);
        if (ready <= 0) throw std::runtime_error("no answer for 10 s");
        for (int i = 0; i < ready; ++i) {
            auto& one = *static_cast<Connection*>(events[i].data.ptr);
            char space[16 << 10];
            const ssize_t got = ::recv(one.fd, space, sizeof space, 0);
            if (got <= 0) throw std::runtime_error("the connection is gone");
            one.in.append(space, size_t(got));
            if (!is_whole(one.in)) continue;
            one.in.clear();
            took_ms.push_back((now_s() - one.asked_s) * 1e3);
            ++answered;
            ask(one);
        }
    }
    const double seconds = now_s() - begin;
    std::sort(took_ms.begin(), took_ms.end());
    print_figure({{"name", "http"},
                  {"requests_per_s", double(requests) / seconds},
                  {"us_per_request", (cpu_s(pid) - cpu) / double(requests) * 1e6},
                  {"p50_ms", took_ms[took_ms.size() / 2]},
                  {"p99_ms", took_ms[took_ms.size() * 99 / 100]}});
}
