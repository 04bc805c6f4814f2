// RedisSource: another program's Redis, read for `jobq import`. Only commands that can't change it
// are sent: a word that is not in the list of the source file ends the program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/base/failure.h"
#include "core/net/endpoint.h"

struct redisContext;

namespace jobq::cli {

class RedisSource {
  public:
    // $REDISCLI_AUTH is the password, as for redis-cli.
    // "loading" in the failure's text: it is there, and reads its file still.
    static Answer<RedisSource> open(const Endpoint& where);
    RedisSource(RedisSource&&) = default;
    ~RedisSource();

    using Words = std::vector<std::string>;

    // An integer, or a string that holds one; 0 for nil.
    Answer<int64_t> number(const Words& command);
    // The elements of an array.
    Answer<std::vector<std::string>> texts(const Words& command);
    // A string; "" for nil.
    Answer<std::string> text(const Words& command);

    const std::string& where() const { return where_; }

  private:
    struct Closer {
        void operator()(redisContext* context) const;
    };

    struct Got {
        bool is_number = false;
        int64_t number = 0;
        std::string text;
        std::vector<std::string> items;
    };

    explicit RedisSource(std::string where) : where_(std::move(where)) {}

    Answer<Got> ask(const Words& command);

    std::string where_;
    std::unique_ptr<redisContext, Closer> context_;
};

}  // namespace jobq::cli
