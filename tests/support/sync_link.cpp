// SyncLink: see sync_link.h. hiredis only parses here, as in the daemon.
#include "tests/support/sync_link.h"

#include <hiredis/hiredis.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>

namespace jobq::test {
namespace {

Reply copy_of(const redisReply& from) {
    Reply to;
    to.integer = from.integer;
    if (from.str) to.text.assign(from.str, size_t(from.len));
    switch (from.type) {
        case REDIS_REPLY_STRING:
            to.kind = Reply::Kind::string;
            break;
        case REDIS_REPLY_STATUS:
            to.kind = Reply::Kind::status;
            break;
        case REDIS_REPLY_INTEGER:
            to.kind = Reply::Kind::integer;
            break;
        case REDIS_REPLY_ERROR:
            to.kind = Reply::Kind::error;
            break;
        case REDIS_REPLY_ARRAY:
            to.kind = Reply::Kind::array;
            for (size_t i = 0; i < from.elements; ++i)
                to.items.push_back(copy_of(*from.element[i]));
            break;
        default:
            break;
    }
    return to;
}

}  // namespace

SyncLink::SyncLink(const std::string& socket_path)
    : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), reader_(redisReaderCreate()) {
    reader_->maxbuf = 0;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
    timeval limit{30, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
    redisReaderFree(reader_);
    close(fd_);
    throw std::runtime_error("no Redis on " + socket_path);
}

SyncLink::~SyncLink() {
    redisReaderFree(reader_);
    close(fd_);
}

Result<Reply> SyncLink::exchange(const std::string& wire) {
    ++calls_;
    for (size_t sent = 0; sent < wire.size();) {
        ssize_t n = send(fd_, wire.data() + sent, wire.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return fail(ErrorCode::unavailable, "Redis is gone");
        sent += size_t(n);
    }
    void* parsed = nullptr;
    while (!parsed) {
        if (redisReaderGetReply(reader_, &parsed) != REDIS_OK)
            return fail(ErrorCode::unknown, std::string("bad reply: ") + reader_->errstr);
        if (parsed) break;
        char buffer[64 << 10];
        ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
        if (n <= 0) return fail(ErrorCode::unknown, "Redis did not answer");
        redisReaderFeed(reader_, buffer, size_t(n));
    }
    Reply reply = copy_of(*static_cast<redisReply*>(parsed));
    freeReplyObject(parsed);
    return reply;
}

task<Result<Reply>> SyncLink::call(Command command) {
    if (refuse_ > 0) {
        --refuse_;
        co_return fail(ErrorCode::unavailable, "not sent: the test refused it");
    }
    std::string wire;
    command.write_to(wire);
    auto reply = exchange(wire);
    if (reply && on_reply) on_reply(wire, *reply);
    if (lose_ > 0) {
        --lose_;
        co_return fail(ErrorCode::unknown, "sent, but the test lost the reply");
    }
    co_return reply;
}

Reply SyncLink::run(const Command& command) {
    std::string wire;
    command.write_to(wire);
    auto reply = exchange(wire);
    if (!reply) throw std::runtime_error(reply.error().text);
    return *reply;
}

std::string to_text(const Reply& reply) {
    switch (reply.kind) {
        case Reply::Kind::nil:
            return "(nil)";
        case Reply::Kind::integer:
            return std::to_string(reply.integer);
        case Reply::Kind::status:
            return reply.text;
        case Reply::Kind::error:
            return "!" + reply.text;
        case Reply::Kind::string:
            return "\"" + reply.text + "\"";
        case Reply::Kind::array:
            break;
    }
    std::string text = "[";
    for (const auto& item : reply.items) {
        if (text.size() > 1) text += ' ';
        text += to_text(item);
    }
    return text + "]";
}

}  // namespace jobq::test
