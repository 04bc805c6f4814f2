#include "tests/support/live/tcp_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/protocol/password.h"

namespace jobq::test {

TcpClient::TcpClient(int port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval limit{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

TcpClient::~TcpClient() {
    ::close(fd_);
}

void TcpClient::start_tls(const std::string& ca_file) {
    auto context = TlsContext::for_client(ca_file);
    if (!context) throw std::runtime_error(context.error().text);
    tls_ = std::move(*TlsEngine::client(*context, "127.0.0.1"));
    while (!tls_->ready()) {
        send("");
        if (!more() && !tls_->ready()) throw std::runtime_error("no TLS handshake");
    }
    send("");
}

void TcpClient::send(const std::string& bytes) {
    std::string out = bytes;
    if (tls_) {
        if (!bytes.empty() && !tls_->send(bytes)) throw std::runtime_error("TLS failed");
        out = std::exchange(tls_->outgoing(), {});
    }
    for (size_t at = 0; at < out.size();) {
        const ssize_t sent = ::send(fd_, out.data() + at, out.size() - at, MSG_NOSIGNAL);
        if (sent < 0) throw std::runtime_error("the connection is gone");
        at += size_t(sent);
    }
}

// False at the end; throws when nothing comes in time.
bool TcpClient::more() {
    char space[64 << 10];
    const ssize_t got = ::recv(fd_, space, sizeof space, 0);
    if (got < 0 && errno != ECONNRESET) throw std::runtime_error("jobqd says nothing");
    if (got <= 0) return false;
    const std::string_view bytes(space, size_t(got));
    if (!tls_) {
        in_ += bytes;
        return true;
    }
    const auto taken = tls_->take(bytes, in_);
    if (!taken) throw std::runtime_error(taken.error().text);
    return !tls_->ended();
}

std::string TcpClient::line() {
    size_t end = std::string::npos;
    while ((end = in_.find("\r\n")) == std::string::npos)
        if (!more()) return "";
    std::string text = in_.substr(0, end);
    in_.erase(0, end + 2);
    return text;
}

std::string TcpClient::reply() {
    std::string head = line();
    if (!head.starts_with('$') || head == "$-1") return head;
    const size_t size = std::stoul(head.substr(1));
    while (in_.size() < size + 2)
        if (!more()) return "";
    std::string body = in_.substr(0, size);
    in_.erase(0, size + 2);
    return body;
}

bool TcpClient::at_end() {
    while (more()) {
    }
    return in_.empty();
}

std::string TcpClient::hello(const std::string& json) {
    send("HELLO " + json + "\n");
    return line();
}

std::string TcpClient::members(const std::string& greeting, const std::string& password,
                               int version) {
    const auto asked = nlohmann::json::parse(greeting.substr(4));
    const int64_t rounds = version < 2 ? 1 : asked.at("i").get<int64_t>();
    nlohmann::json hello{
        {"pwdhash", password_hash(password, asked.at("s").get<std::string>(), rounds)}};
    if (version > 0) hello["v"] = version;
    hello["username"] = "whoever";
    return hello.dump();
}

}  // namespace jobq::test
