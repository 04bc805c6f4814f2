// See cut_proxy.h.
#include "tests/support/cut_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace jobq::test {
namespace {

constexpr int kPollMs = 50;

int unix_socket(const std::string& path, sockaddr_un& address) {
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

const sockaddr* as_any(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

bool send_all(int to, const char* bytes, size_t size) {
    while (size > 0) {
        const ssize_t sent = send(to, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        size -= size_t(sent);
    }
    return true;
}

}  // namespace

CutProxy::CutProxy(std::string listen_path, std::string target_path, uint64_t seed, int one_in,
                   int hold_ms)
    : path_(std::move(listen_path)),
      target_(std::move(target_path)),
      random_(seed),
      one_in_(one_in),
      hold_ms_(hold_ms) {
    sockaddr_un address{};
    listener_ = unix_socket(path_, address);
    if (bind(listener_, as_any(address), sizeof address) != 0 || listen(listener_, 64) != 0)
        throw std::runtime_error("the proxy can't listen on " + path_);
    thread_ = std::thread([this] { serve(); });
}

CutProxy::~CutProxy() {
    stop_ = true;
    thread_.join();
    for (const auto& pair : pairs_) {
        close(pair.client);
        close(pair.server);
    }
    close(listener_);
}

void CutProxy::accept_one() {
    Pair pair;
    pair.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    sockaddr_un address{};
    pair.server = unix_socket(target_, address);
    if (connect(pair.server, as_any(address), sizeof address) == 0) {
        pairs_.push_back(pair);
        return;
    }
    close(pair.client);
    close(pair.server);
}

bool CutProxy::pass_request(const Pair& pair) {
    char space[64 << 10];
    const ssize_t got = recv(pair.client, space, sizeof space, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    return send_all(pair.server, space, size_t(got));
}

bool CutProxy::pass_answer(Pair& pair) {
    char space[64 << 10];
    const ssize_t got = recv(pair.server, space, sizeof space, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    // The greeting and the answer to HELLO come through, or no request would ever be made.
    const bool hello = ++pair.answers <= 2 && space[0] == '+';
    if (!hello && random_() % uint64_t(one_in_) == 0) {
        usleep(useconds_t(hold_ms_) * 1000);
        ++cuts_;
        return false;
    }
    return send_all(pair.client, space, size_t(got));
}

void CutProxy::serve() {
    while (!stop_) {
        std::vector<pollfd> polled{{listener_, POLLIN, 0}};
        for (const auto& pair : pairs_) {
            polled.push_back({pair.client, POLLIN, 0});
            polled.push_back({pair.server, POLLIN, 0});
        }
        if (poll(polled.data(), polled.size(), kPollMs) <= 0) continue;
        std::vector<Pair> left;
        for (size_t i = 0; i < pairs_.size(); ++i) {
            Pair pair = pairs_[i];
            bool goes_on = true;
            if (polled[1 + 2 * i].revents) goes_on = pass_request(pair);
            if (goes_on && polled[2 + 2 * i].revents) goes_on = pass_answer(pair);
            if (goes_on) {
                left.push_back(pair);
            } else {
                close(pair.client);
                close(pair.server);
            }
        }
        pairs_ = std::move(left);
        if (polled[0].revents) accept_one();
    }
}

}  // namespace jobq::test
