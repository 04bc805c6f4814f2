// Link: one socket to jobqd with deadlines on everything. Lines and RESP replies in, bytes out.
//
// Never blocks past a deadline and never holds more than one reply's limit. Below Client, which
// knows the protocol; `enqueue --jsonl` uses pump() to read and write at the same time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/link/address.h"
#include "cli/link/wire.h"
#include "core/base/error.h"
#include "core/protocol/reply.h"

namespace jobq::cli {

// One reply as it came: "+text", "-CODE text" or a bulk string.
struct DaemonReply {
    using Kind = ReplyView::Kind;
    Kind kind = Kind::simple;
    std::string text;
};

class Link {
  public:
    Link() = default;
    Link(Link&& other) noexcept;
    Link& operator=(Link&& other) noexcept;

    // With the TLS handshake where the address wants it. `unavailable` with the system's reason;
    // unauthorized: a certificate that is not trusted. All times are monotonic_ms()'s.
    static Result<Link> open(const Address& address, int64_t deadline_ms);

    bool is_open() const { return wire_.is_open(); }

    void close() { wire_.close(); }

    // The socket, for who does its own reading and writing; nothing may be under way.
    Wire release() { return std::move(wire_); }

    // Adds to what is to be written; pump() or read_reply() writes it.
    void queue(std::string_view bytes) { out_.append(bytes); }

    size_t queued_bytes() const { return out_.size() - written_ + wire_.held_bytes(); }

    // Writes what can be written and reads what is there, waiting until `deadline_ms` for the first
    // of: the socket, or `extra_fd` being readable (-1: none). An error closed the link (unknown:
    // the peer is gone) or is an interrupt (cancelled).
    struct Pumped {
        bool any = false;    // false: the deadline passed
        bool extra = false;  // `extra_fd` is readable, or at its end
    };

    Result<Pumped> pump(int64_t deadline_ms, int extra_fd = -1);

    // The next whole reply among the bytes read so far; nullopt when there is none yet.
    Result<std::optional<DaemonReply>> take_reply();
    // The next reply, pumping until the deadline: timeout, unknown (peer gone), cancelled (^C).
    Result<DaemonReply> read_reply(int64_t deadline_ms);

  private:
    explicit Link(int fd) : wire_(fd) {}

    void write_some();
    Result<> read_some();
    tl::unexpected<Error> broken(std::string why);

    Wire wire_;
    std::string out_;
    size_t written_ = 0;  // of out_
    std::string in_;
    size_t taken_ = 0;  // of in_
};

}  // namespace jobq::cli
