#include "cli/load_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "cli/client.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kReplyBytes = 64 << 20;

}  // namespace

Answer<LoadLink> LoadLink::open(const std::string& server) {
    auto client = Client::connect(server);
    if (!client) return tl::unexpected(client.error());
    return LoadLink(client->link().release());
}

LoadLink::LoadLink(LoadLink&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      out_(std::move(other.out_)),
      written_(std::exchange(other.written_, 0)),
      in_(std::move(other.in_)),
      taken_(std::exchange(other.taken_, 0)),
      broken_(other.broken_) {}

LoadLink::~LoadLink() {
    if (fd_ >= 0) ::close(fd_);
}

bool LoadLink::flush() {
    while (written_ < out_.size()) {
        const ssize_t sent =
            ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        written_ += size_t(sent);
    }
    out_.clear();
    written_ = 0;
    return true;
}

bool LoadLink::fill() {
    in_.erase(0, taken_);
    taken_ = 0;
    char bytes[kReadBytes];
    while (true) {
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        in_.append(bytes, size_t(got));
        if (size_t(got) < sizeof bytes) return true;
    }
}

std::optional<LoadReply> LoadLink::next() {
    const std::string_view unread = std::string_view(in_).substr(taken_);
    const size_t end = unread.find("\r\n");
    if (end == std::string_view::npos || end == 0) {
        broken_ = end == 0 || unread.size() > kReadBytes;
        return std::nullopt;
    }
    const char kind = unread.front();
    const std::string_view line = unread.substr(1, end - 1);
    if (kind == '+' || kind == '-') {
        taken_ += end + 2;
        return LoadReply{kind == '-', line};
    }
    const auto size = parse_int(line);
    if (kind != '$' || !size || *size < 0 || size_t(*size) > kReplyBytes) {
        broken_ = true;
        return std::nullopt;
    }
    const size_t whole = end + 2 + size_t(*size) + 2;
    if (unread.size() < whole) return std::nullopt;
    taken_ += whole;
    return LoadReply{false, unread.substr(end + 2, size_t(*size))};
}

}  // namespace jobq::cli
