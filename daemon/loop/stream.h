// Stream: one connected byte stream (Unix, TCP, or TLS on it) on the loop, for sessions, the Redis
// link and the runner. Sockets are CLOEXEC. Reading is pull with a bounded buffer; writing is
// append-and-flush: what one turn writes goes out in one system call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/base/error.h"
#include "core/net/endpoint.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq {

class TlsEngine;

// Who is at the other end of a Unix socket.
struct PeerCredentials {
    int64_t pid = -1, uid = -1, gid = -1;
};

class Stream {
  public:
    // The socket alone: for TLS start_tls() follows. unavailable: refused, no such socket, no such
    // host; timeout; forbidden: another user's where it should be ours.
    static task<Result<std::unique_ptr<Stream>>> connect(UvReactor& reactor, Endpoint endpoint,
                                                         int64_t limit_ms);
    // Takes over a connected, non-blocking socket.
    Stream(UvReactor& reactor, int fd, bool is_unix);
    ~Stream();
    Stream(const Stream&) = delete;

    // TLS from the first byte on: before anything is read or written. What is written waits until
    // the handshake is done; one that fails, also for an untrusted certificate, closes the stream
    // with an error(). The caller limits its time.
    void start_tls(std::unique_ptr<TlsEngine> engine);

    // Waits until bytes are in buffer() that came since the last return of read_more(), and true;
    // false at end of stream or error, or when limit_ms passed (negative: none); closed() tells
    // which. One reader at a time. Reading stops by itself at max_buffer() bytes; when it is that
    // full already, false at once.
    task<bool> read_more(int64_t limit_ms);

    std::string& buffer() { return in_; }  // the reader erases what it has used

    void set_max_buffer(size_t bytes) { max_buffer_ = bytes; }

    // Appends; flushed at the end of this turn. After close, or an error, it is dropped.
    void write(std::string_view bytes);
    // The same for who builds its bytes in place: append to what is returned, within this turn.
    std::string& compose();
    // Waits until fewer than `bytes` wait to be written, or the stream is closed.
    task<void> drained(size_t bytes);
    size_t unwritten() const;

    // Sends what is written, then closes, after limits::kWriteStallMs at the latest; wait for it
    // with drained(1) before destroying the stream. close() drops what is unwritten.
    void close_after_write();
    void close();

    // True from the end of the other side on. One that only shut down its sending side still gets
    // what is written.
    bool closed() const { return closed_ || ended_; }

    // Nothing can be written any more either.
    bool broken() const { return closed_; }

    const std::string& error() const { return error_; }  // "" for an orderly end

    bool is_unix() const { return is_unix_; }

    PeerCredentials peer() const;
    // "127.0.0.1:4711", for the log; "" for a Unix socket, and once closed.
    std::string peer_address() const;
    // Called once, from the ready queue, when the other side is gone while nobody reads (a client
    // that hangs up during a long wait). Watching reads into buffer().
    void watch_close(std::function<void()> fn);

  private:
    struct Impl;
    void plan_flush();
    void flush();
    bool refill();
    bool send_some();
    void came(std::string_view bytes);
    // stream_tls.cpp
    void came_encrypted(std::string_view bytes);
    void encrypt_some();
    void give_up_tls(const Error& error);
    void receive();
    bool receive_once();
    void on_poll(int status, int events);
    void update_polling();
    void watch_stall(size_t written_before);
    void end_of_input();
    void tell_watcher();
    void fail(std::string why);
    void shut();

    UvReactor& reactor_;
    Impl* impl_;                      // freed in uv's close callback
    std::unique_ptr<TlsEngine> tls_;  // null: plain
    std::string in_, out_, writing_;
    std::string plain_;     // TLS: taken from out_, not all encrypted yet
    size_t encrypted_ = 0;  // of plain_
    size_t max_buffer_ = 1 << 20;
    size_t written_ = 0;  // of writing_
    size_t sent_total_ = 0, received_total_ = 0, seen_total_ = 0;
    Signal readable_, writable_;
    std::function<void()> on_close_;
    std::string error_;
    TimerId stall_timer_ = 0, linger_timer_ = 0;
    int inside_ = 0;  // coroutines in read_more() and drained()
    bool is_unix_ = false, closed_ = false, ended_ = false, reading_ = false,
         flush_planned_ = false, write_busy_ = false, closing_after_write_ = false,
         watched_ = false;
};

}  // namespace jobq
