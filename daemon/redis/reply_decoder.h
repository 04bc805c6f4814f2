// ReplyDecoder: bytes from Redis to Reply. hiredis's redisReader does the parsing, its object
// functions build our Reply at once, so no redisReply is made and copied.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/store/link/redis_link.h"

namespace jobq {

class ReplyDecoder {
  public:
    enum class Step : uint8_t { reply, more, broken };

    ReplyDecoder();
    ~ReplyDecoder();
    ReplyDecoder(const ReplyDecoder&) = delete;

    // Feed a chunk, then take replies until `more`. In chunks of at most kChunkBytes: the reader
    // moves what is left of its buffer after every kilobyte it has used.
    static constexpr size_t kChunkBytes = 16 << 10;
    void feed(std::string_view bytes);
    // `broken`: not the Redis protocol, or a reply over limits::kRedisReplyBytes; final.
    Step next(Reply& out);

    const std::string& error() const { return error_; }

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::string error_;
};

}  // namespace jobq
