#include "cli/loadgen/load_link.h"

#include <cerrno>
#include <utility>

#include "cli/link/client.h"
#include "core/protocol/reply.h"

namespace jobq::cli {
namespace {

constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kReplyBytes = 64 << 20;

}  // namespace

Answer<LoadLink> LoadLink::open(const Target& target) {
    auto client = Client::connect(target);
    if (!client) return tl::unexpected(client.error());
    return LoadLink(client->link().release());
}

LoadLink::LoadLink(LoadLink&& other) noexcept
    : wire_(std::move(other.wire_)),
      out_(std::move(other.out_)),
      written_(std::exchange(other.written_, 0)),
      in_(std::move(other.in_)),
      taken_(std::exchange(other.taken_, 0)),
      broken_(other.broken_) {}

bool LoadLink::flush() {
    if (!wire_.flush()) return false;
    while (written_ < out_.size()) {
        const ssize_t sent = wire_.send(std::string_view(out_).substr(written_));
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
    while (true) {
        const ssize_t got = wire_.read(in_, kReadBytes);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        if (size_t(got) < kReadBytes) return true;
    }
}

std::optional<LoadReply> LoadLink::next() {
    auto reply = read_reply(std::string_view(in_).substr(taken_), kReplyBytes);
    if (!reply) broken_ = true;
    if (!reply || !*reply) return std::nullopt;
    taken_ += (*reply)->bytes;
    return LoadReply{(*reply)->kind == ReplyView::Kind::error, (*reply)->text};
}

}  // namespace jobq::cli
