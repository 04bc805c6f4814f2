// See faktory_kit.h.
#include "tests/support/live/faktory_kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace jobq::test {
namespace {

using Clock = std::chrono::steady_clock;

int left_ms(Clock::time_point until) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    return left.count() > 0 ? int(left.count()) : 0;
}

Clock::time_point after_ms(int ms) {
    return Clock::now() + std::chrono::milliseconds(ms);
}

template <class Address>
int connected(int domain, const Address& address) {
    int fd = ::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error(std::string("no connection: ") + std::strerror(errno));
    return fd;
}

}  // namespace

Wire::Wire(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = connected(AF_INET, address);
}

Wire::Wire(const std::string& unix_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
    fd_ = connected(AF_UNIX, address);
}

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_)), end_(other.end_) {}

Wire::~Wire() {
    close();
}

void Wire::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Wire::half_close() const {
    ::shutdown(fd_, SHUT_WR);
}

bool Wire::send(std::string_view bytes) const {
    return send_within(bytes, 15'000);
}

bool Wire::send_some(std::string_view bytes) const {
    return send_within(bytes, 300);
}

bool Wire::send_within(std::string_view bytes, int limit_ms) const {
    while (!bytes.empty()) {
        pollfd ready{fd_, POLLOUT, 0};
        if (::poll(&ready, 1, limit_ms) <= 0) return false;
        ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(size_t(sent));
    }
    return true;
}

// Whether bytes came within the limit.
bool Wire::more(int limit_ms) {
    pollfd ready{fd_, POLLIN, 0};
    if (end_ || ::poll(&ready, 1, limit_ms) <= 0) return false;
    char space[1 << 16];
    ssize_t got = ::recv(fd_, space, sizeof space, 0);
    if (got <= 0) {
        end_ = true;
        return false;
    }
    in_.append(space, size_t(got));
    return true;
}

std::string Wire::bytes(size_t n, int limit_ms) {
    auto until = after_ms(limit_ms);
    while (in_.size() < n && more(left_ms(until))) {
    }
    std::string out = in_.substr(0, n);
    in_.erase(0, n);
    return out;
}

std::string Wire::reply(int limit_ms) {
    auto until = after_ms(limit_ms);
    size_t end;
    while ((end = in_.find("\r\n")) == in_.npos) {
        if (more(left_ms(until))) continue;
        if (!in_.empty()) return "(garbage) " + in_;
        return end_ ? "(closed)" : "(silence)";
    }
    std::string line = bytes(end);
    bytes(2);
    if (line.starts_with("+") || line.starts_with("-") || line == "$-1") return line;
    if (!line.starts_with("$")) return "(garbage) " + line;
    size_t size = std::stoul(line.substr(1));
    std::string body = bytes(size + 2, left_ms(until));
    if (body.size() != size + 2 || !body.ends_with("\r\n")) return "(garbage) " + line + body;
    return body.substr(0, size);
}

std::string Wire::ask(const std::string& line) {
    send(line + "\r\n");
    return reply();
}

nlohmann::json Wire::ask_json(const std::string& line) {
    std::string text = ask(line);
    auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded()) throw std::runtime_error(line + " was answered by " + text);
    return json;
}

bool Wire::closes(int limit_ms) {
    return reply(limit_ms) == "(closed)";
}

bool Wire::is_silent(int for_ms) {
    return in_.empty() && !more(for_ms) && !end_;
}

FaktoryServer::FaktoryServer(const std::string& toml) : daemon(toml, {"--tcp", "127.0.0.1:0"}) {
    Wire wire = unix_client();
    std::string tcp = wire.ask_json("JOBQ PING {}").at("tcp");
    port = std::stoi(tcp.substr(tcp.rfind(':') + 1));
}

namespace {

Wire greeted(Wire wire, const std::string& hello) {
    std::string hi = wire.reply();
    if (hi != "+HI {\"v\":2}") throw std::runtime_error("not the greeting: " + hi);
    std::string answer = wire.ask("HELLO " + hello);
    if (answer != "+OK") throw std::runtime_error("HELLO was answered by " + answer);
    return wire;
}

}  // namespace

Wire FaktoryServer::client(const std::string& hello) const {
    return greeted(Wire(port), hello);
}

Wire FaktoryServer::unix_client(const std::string& hello) const {
    return greeted(Wire(daemon.socket()), hello);
}

Wire FaktoryServer::worker(const std::string& wid) const {
    return client(R"({"v":2,"wid":")" + wid + R"(","hostname":"h","pid":7,"labels":["a"]})");
}

FaktoryServer& shared() {
    static FaktoryServer server;
    return server;
}

std::string fresh(const std::string& prefix) {
    static std::atomic<int> last{0};
    return prefix + std::to_string(++last);
}

std::string job_of(const std::string& jid, const std::string& queue, const std::string& more) {
    return R"({"jid":")" + jid + R"(","jobtype":"T","args":[1],"queue":")" + queue + "\"" + more +
           "}";
}

std::string ok() {
    return "+OK";
}

}  // namespace jobq::test
