// RedisDump: an RDB file, served by a redis-server of our own for as long as this lives: a
// temporary directory, a Unix socket in it, no port, nothing ever saved. For `jobq import`.
//
// Must stay true: the file itself is only read. It is a symbolic link in that directory, and a
// Redis that wrote would replace the link.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cli/base/failure.h"

namespace jobq::cli {

class RedisDump {
  public:
    // Returns when the file is loaded. Interrupted by ^C inside an InterruptScope. `limit_ms`: it
    // may take so long; nothing: by its size.
    static Answer<std::unique_ptr<RedisDump>> serve(const std::string& file,
                                                    std::optional<int64_t> limit_ms);
    ~RedisDump();
    RedisDump(const RedisDump&) = delete;

    const std::string& socket() const { return socket_; }

  private:
    RedisDump() = default;

    Answer<> start(const std::string& file);
    Answer<> await(const std::string& file, int64_t until_ms);
    std::string last_words() const;

    std::string directory_, socket_;
    pid_t pid_ = -1;
    bool ended_ = false;
};

}  // namespace jobq::cli
