// See proxy.h.
#include "tests/chaos/proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace jobq::chaos {
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

}  // namespace

MeanProxy::MeanProxy(std::string listen_path, std::string target_path, uint64_t seed)
    : path_(std::move(listen_path)), target_(std::move(target_path)), random_(seed) {
    sockaddr_un address{};
    listener_ = unix_socket(path_, address);
    if (bind(listener_, as_any(address), sizeof address) != 0 || listen(listener_, 64) != 0)
        throw std::runtime_error("the proxy can't listen on " + path_);
    thread_ = std::thread([this] { serve(); });
}

MeanProxy::~MeanProxy() {
    stop_ = true;
    thread_.join();
    for (const auto& pair : pairs_) {
        close(pair.client);
        close(pair.server);
    }
    close(listener_);
}

void MeanProxy::accept_one() {
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

bool MeanProxy::carry(Pair& pair, int from, int to) {
    char space[16 << 10];
    const ssize_t got = recv(from, space, sizeof space, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    size_t pass = size_t(got);
    bool over = false;
    const int trick = good_ ? 1000 : int(random_() % 300);
    if (trick < 4) {
        pass = random_() % pass;  // some of it, then the end
        over = true;
    } else if (trick < 6) {
        pair.swallows = true;  // nothing goes through any more, and nobody is told
    } else if (trick < 30) {
        usleep(useconds_t(random_() % 200'000));
    }
    if (trick < 30) ++tricks_;
    if (pair.swallows && !good_) return true;
    if (pair.swallows) return false;  // what was swallowed is missing: it can't be good any more
    const bool one_by_one = trick >= 30 && trick < 40;
    for (size_t sent = 0; sent < pass;) {
        const size_t step = one_by_one ? 1 : pass - sent;
        const ssize_t n = send(to, space + sent, step, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += size_t(n);
    }
    return !over;
}

void MeanProxy::serve() {
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
            if (polled[1 + 2 * i].revents) goes_on = carry(pair, pair.client, pair.server);
            if (goes_on && polled[2 + 2 * i].revents)
                goes_on = carry(pair, pair.server, pair.client);
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

}  // namespace jobq::chaos
