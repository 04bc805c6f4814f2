// See relay.h.
#include "tests/support/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

#include "tests/support/poll.h"

namespace jobq::test {
namespace {

constexpr int kPollMs = 5;
constexpr int kQueued = 64;
constexpr size_t kPiece = 64 << 10;

int unix_socket(const std::string& path, sockaddr_un& address) {
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

template <class Address>
bool listens(int fd, const Address& address) {
    return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
           listen(fd, kQueued) == 0;
}

// Takes what is there from one side, to be passed on; false at its end.
template <class Pass>
bool carry(int from, Pass pass) {
    char space[kPiece];
    const ssize_t got = recv(from, space, sizeof space, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    return pass(std::string_view(space, size_t(got)));
}

}  // namespace

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(size_t(sent));
    }
    return true;
}

Relay::Relay(std::string listen_path, std::string target_path, MakePassage make)
    : path_(std::move(listen_path)), make_(std::move(make)), target_(std::move(target_path)) {
    start();
}

Relay::Relay(std::string target_path)
    : make_([] { return std::make_unique<Passage>(); }), target_(std::move(target_path)) {
    start();
}

void Relay::start() {
    listen_again();
    thread_ = std::thread([this] { serve(); });
}

Relay::~Relay() {
    stop_ = true;
    thread_.join();
    close_all();
}

void Relay::listen_again() {
    bool good = false;
    if (!path_.empty()) {
        sockaddr_un address{};
        listener_ = unix_socket(path_, address);
        unlink(path_.c_str());
        good = listens(listener_, address);
    } else {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(uint16_t(port_));
        good = listens(listener_, address);
        socklen_t size = sizeof address;
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
    }
    if (!good) throw std::runtime_error("the relay can't listen on " + path_);
}

void Relay::close_all() {
    for (const auto& pair : pairs_) {
        close(pair.client);
        close(pair.server);
    }
    pairs_.clear();
    if (listener_ >= 0) close(listener_);
    listener_ = -1;
}

void Relay::cut() {
    wants_cut_ = true;
    eventually([this] { return is_cut_.load(); });
}

void Relay::mend() {
    wants_cut_ = false;
    eventually([this] { return !is_cut_.load(); });
}

void Relay::move_to(std::string target_path) {
    const std::lock_guard lock(mutex_);
    target_ = std::move(target_path);
}

void Relay::accept_one() {
    Pair pair;
    pair.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (pair.client < 0) return;
    ++accepted_;
    sockaddr_un address{};
    {
        const std::lock_guard lock(mutex_);
        pair.server = unix_socket(target_, address);
    }
    if (connect(pair.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        pair.passage = make_();
        pairs_.push_back(std::move(pair));
        return;
    }
    close(pair.client);
    close(pair.server);
}

void Relay::carry_all(const std::vector<pollfd>& polled) {
    std::vector<Pair> left;
    for (size_t i = 0; i < pairs_.size(); ++i) {
        Pair& pair = pairs_[i];
        bool goes_on = true;
        if (polled[1 + 2 * i].revents)
            goes_on = carry(pair.client, [&pair](std::string_view bytes) {
                return pair.passage->to_server(bytes, pair.server);
            });
        if (goes_on && polled[2 + 2 * i].revents)
            goes_on = carry(pair.server, [&pair](std::string_view bytes) {
                return pair.passage->to_client(bytes, pair.client);
            });
        if (goes_on) {
            left.push_back(std::move(pair));
        } else {
            close(pair.client);
            close(pair.server);
        }
    }
    pairs_ = std::move(left);
}

void Relay::serve() {
    while (!stop_) {
        if (wants_cut_ && !is_cut_) close_all();
        if (!wants_cut_ && is_cut_) listen_again();
        is_cut_ = wants_cut_.load();
        std::vector<pollfd> polled{{listener_, POLLIN, 0}};
        for (const auto& pair : pairs_) {
            polled.push_back({pair.client, POLLIN, 0});
            polled.push_back({pair.server, POLLIN, 0});
        }
        if (poll(polled.data(), polled.size(), kPollMs) <= 0) continue;
        carry_all(polled);
        if (polled[0].revents) accept_one();
    }
}

}  // namespace jobq::test
