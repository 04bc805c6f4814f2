#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <stdexcept>

namespace jobq::test {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return char(std::tolower(c)); });
    return text;
}

}  // namespace

HttpClient::HttpClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    limit_reads();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

HttpClient::HttpClient(const std::string& unix_path)
    : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    limit_reads();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("nobody listens on " + unix_path);
}

HttpClient::~HttpClient() {
    ::close(fd_);
}

void HttpClient::limit_reads() {
    timeval limit{30, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

bool HttpClient::send(const std::string& bytes) {
    for (size_t at = 0; at < bytes.size();) {
        const ssize_t sent = ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
        if (sent < 0) return false;
        at += size_t(sent);
    }
    return true;
}

bool HttpClient::more() {
    char space[64 << 10];
    const ssize_t got = ::recv(fd_, space, sizeof space, 0);
    if (got < 0 && errno != ECONNRESET) throw std::runtime_error("the server says nothing");
    if (got <= 0) return false;
    in_.append(space, size_t(got));
    return true;
}

std::string HttpClient::line() {
    size_t end = in_.find("\r\n");
    while (end == std::string::npos) {
        if (!more()) return "";
        end = in_.find("\r\n");
    }
    std::string text = in_.substr(0, end);
    in_.erase(0, end + 2);
    return text;
}

std::string HttpClient::bytes(size_t count) {
    while (in_.size() < count && more()) {
    }
    std::string text = in_.substr(0, count);
    in_.erase(0, count);
    return text;
}

std::string HttpClient::chunk() {
    const std::string size = line();
    if (size.empty()) return "";
    std::string text = bytes(std::stoul(size, nullptr, 16));
    bytes(2);
    return text;
}

void HttpClient::end_sending() {
    ::shutdown(fd_, SHUT_WR);
}

HttpAnswer HttpClient::answer(bool of_head) {
    HttpAnswer got;
    const std::string status = line();
    if (status.size() < 12) return got;
    got.status = std::stoi(status.substr(9, 3));
    for (std::string field = line(); !field.empty(); field = line()) {
        const size_t colon = field.find(": ");
        got.headers[lower(field.substr(0, colon))] = field.substr(colon + 2);
    }
    if (got.status < 200) return answer(of_head);
    if (of_head || got.status == 204 || got.status == 304) return got;
    if (got.headers.count("content-length")) {
        got.body = bytes(std::stoul(got.headers["content-length"]));
        return got;
    }
    if (!got.headers.count("transfer-encoding")) return got;
    for (std::string piece = chunk(); !piece.empty(); piece = chunk())
        got.body += piece;
    return got;
}

std::string HttpClient::streamed_line() {
    size_t end = streamed_.find('\n');
    while (end == std::string::npos) {
        const std::string piece = chunk();
        if (piece.empty()) return "";
        streamed_ += piece;
        end = streamed_.find('\n');
    }
    std::string text = streamed_.substr(0, end);
    streamed_.erase(0, end + 1);
    return text;
}

bool HttpClient::at_end() {
    while (more()) {
    }
    return true;
}

HttpAnswer HttpClient::ask(const std::string& method, const std::string& target,
                           const std::string& body, const std::vector<std::string>& headers) {
    std::string text = method + " " + target + " HTTP/1.1\r\n";
    bool typed = false, hosted = false;
    for (const auto& header : headers) {
        text += header + "\r\n";
        typed = typed || header.starts_with("Content-Type:");
        hosted = hosted || header.starts_with("Host:");
    }
    if (!hosted) text += "Host: localhost\r\n";
    if (!body.empty() && !typed) text += "Content-Type: application/json\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + body);
    return answer(method == "HEAD");
}

}  // namespace jobq::test
