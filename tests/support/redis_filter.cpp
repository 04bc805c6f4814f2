// See redis_filter.h. Commands are read in the form in which jobqd sends them.
#include "tests/support/redis_filter.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>

#include "core/store/script.h"

namespace jobq::test {
namespace {

constexpr int kPollMs = 20;

int socket_for(const std::string& path, sockaddr_un& address) {
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

const sockaddr* as_any(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

bool send_all(int fd, const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
        const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += size_t(n);
    }
    return true;
}

// The length of the first whole command, 0 when there is none; its words.
size_t command_in(const std::string& in, std::vector<std::string>& words) {
    size_t at = 0;
    auto number = [&](size_t& value) {
        const size_t end = in.find("\r\n", at);
        if (end == in.npos) return false;
        value = std::stoul(in.substr(at + 1, end - at - 1));
        at = end + 2;
        return true;
    };
    size_t count = 0;
    words.clear();
    if (!number(count)) return 0;
    for (size_t n = 0; n < count; ++n) {
        size_t size = 0;
        if (!number(size) || in.size() < at + size + 2) return 0;
        words.push_back(in.substr(at, size));
        at += size + 2;
    }
    return at;
}

std::string bulk_of(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

RedisFilter::RedisFilter(std::string target_path)
    : path_(dir_ / "filter.sock"), target_(std::move(target_path)) {
    sockaddr_un address{};
    listener_ = socket_for(path_, address);
    if (bind(listener_, as_any(address), sizeof address) != 0 || listen(listener_, 64) != 0)
        throw std::runtime_error("the filter can't listen on " + path_);
    thread_ = std::thread([this] { serve(); });
}

RedisFilter::~RedisFilter() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    thread_.join();
    for (const auto& pair : pairs_) {
        close(pair.client);
        close(pair.server);
    }
    close(listener_);
}

void RedisFilter::refuse(std::string error, std::set<std::string> scripts) {
    std::lock_guard lock(mutex_);
    error_ = std::move(error);
    refused_ = 0;
    refused_shas_.clear();
    for (const auto& script : all_scripts()) {
        const bool chosen = scripts.empty() ? script.kind() != ScriptKind::reads
                                            : scripts.count(std::string(script.name)) > 0;
        if (chosen) refused_shas_.insert(std::string(script.sha));
    }
}

void RedisFilter::pass() {
    std::lock_guard lock(mutex_);
    refused_shas_.clear();
}

void RedisFilter::move_to(std::string target_path) {
    std::lock_guard lock(mutex_);
    target_ = std::move(target_path);
}

int RedisFilter::refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
}

int RedisFilter::accepted() const {
    std::lock_guard lock(mutex_);
    return accepted_;
}

void RedisFilter::accept_one() {
    Pair pair;
    pair.client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    sockaddr_un address{};
    std::lock_guard lock(mutex_);
    ++accepted_;
    pair.server = socket_for(target_, address);
    if (connect(pair.server, as_any(address), sizeof address) == 0) {
        pairs_.push_back(pair);
        return;
    }
    close(pair.client);
    close(pair.server);
}

std::string RedisFilter::filtered(const std::vector<std::string>& words, const std::string& raw) {
    std::lock_guard lock(mutex_);
    if (refused_shas_.empty()) return raw;
    const bool probe = words[0] == "DEL";
    const bool chosen = words[0] == "EVALSHA" && refused_shas_.count(words[1]) > 0;
    if (!probe && !chosen) return raw;
    ++refused_;
    return "*4\r\n" + bulk_of("EVAL") + bulk_of("return redis.error_reply(ARGV[1])") +
           bulk_of("0") + bulk_of(error_);
}

bool RedisFilter::from_client(Pair& pair) {
    char space[64 << 10];
    const ssize_t got = recv(pair.client, space, sizeof space, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    pair.in.append(space, size_t(got));
    std::string out;
    std::vector<std::string> words;
    while (const size_t size = command_in(pair.in, words)) {
        out += filtered(words, pair.in.substr(0, size));
        pair.in.erase(0, size);
    }
    return send_all(pair.server, out);
}

void RedisFilter::serve() {
    while (true) {
        {
            std::lock_guard lock(mutex_);
            if (stop_) return;
        }
        std::vector<pollfd> polled{{listener_, POLLIN, 0}};
        for (const auto& pair : pairs_) {
            polled.push_back({pair.client, POLLIN, 0});
            polled.push_back({pair.server, POLLIN, 0});
        }
        if (poll(polled.data(), polled.size(), kPollMs) <= 0) continue;
        std::vector<Pair> left;
        for (size_t i = 0; i < pairs_.size(); ++i) {
            Pair& pair = pairs_[i];
            bool goes_on = true;
            if (polled[1 + 2 * i].revents) goes_on = from_client(pair);
            if (goes_on && polled[2 + 2 * i].revents) {
                char space[64 << 10];
                const ssize_t got = recv(pair.server, space, sizeof space, MSG_DONTWAIT);
                goes_on = got > 0 && send_all(pair.client, std::string(space, size_t(got)));
            }
            if (goes_on) {
                left.push_back(std::move(pair));
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
