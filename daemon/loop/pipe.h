// Pipes to and from children on the loop. Real pipes, not sockets: a job may open /dev/stdout.
// Callers: the runner's attempts, and whoever feeds a child its configuration on stdin.
// Must stay true: on_data may be called inside libuv's callback, so it only stores; on_end and
// on_line come from the loop's turn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq {

struct PipeEnds {
    int read_fd = -1;
    int write_fd = -1;
};

// Both CLOEXEC and blocking. busy: out of descriptors.
Result<PipeEnds> make_pipe();
void close_fd(int& fd);  // -1 afterwards

class PipeReader {
  public:
    // Takes over read end `fd`.
    PipeReader(UvReactor& reactor, int fd, std::function<void(std::string_view)> on_data,
               std::function<void()> on_end);
    ~PipeReader();
    PipeReader(const PipeReader&) = delete;

    bool ended() const;
    // Hands over what is there right now, without waiting; bounded. Also while paused.
    void drain();
    // While paused nothing is read, not even the end; who writes waits once the pipe is full.
    void pause(bool paused);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

class PipeWriter {
  public:
    // Takes over write end `fd`.
    PipeWriter(UvReactor& reactor, int fd);
    ~PipeWriter();
    PipeWriter(const PipeWriter&) = delete;

    // Tried at once; what the pipe does not take is kept and follows. Dropped when nobody reads.
    void write(std::string bytes);
    void close_after_write();
    bool closed() const;
    size_t unwritten() const;
    // Written or not: what the other side has not read, also once it is gone.
    size_t unread() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace jobq
