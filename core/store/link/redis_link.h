// RedisLink: one way to talk to one Redis, as the store sees it. daemon/redis implements it on a
// uv stream, tests on a blocking socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"

namespace jobq {

// A Redis command in its wire form (RESP array of bulk strings), built in place: this is the hot
// path, and hiredis's formatter would copy each argument into a second buffer.
class Command {
  public:
    Command() = default;

    template <class... Args>
    explicit Command(std::string_view verb, const Args&... args) {
        add(verb);
        (add(args), ...);
    }

    Command& add(std::string_view arg);
    Command& add(int64_t arg);

    Command& add(int arg) { return add(int64_t(arg)); }

    // All arguments of `other`.
    Command& add_all(const Command& other) {
        body_ += other.body_;
        args_ += other.args_;
        return *this;
    }

    size_t args() const { return args_; }

    size_t bytes() const { return body_.size(); }

    // Appends the complete command to `out`.
    void write_to(std::string& out) const;

  private:
    std::string body_;
    size_t args_ = 0;
};

// A reply, owned.
struct Reply {
    enum class Kind : uint8_t { nil, status, string, integer, array, error };
    Kind kind = Kind::nil;
    int64_t integer = 0;
    std::string text;  // status, string, error
    std::vector<Reply> items;

    bool is_nil() const { return kind == Kind::nil; }

    bool is_error() const { return kind == Kind::error; }

    // The item at that place; nil when there is none.
    const Reply& at(size_t place) const;
};

// Of an integer, or a string that holds one; else 0.
int64_t integer_of(const Reply& reply);

class RedisLink {
  public:
    virtual ~RedisLink() = default;
    // The reply, which may be an error reply of Redis. Fails with unavailable (never sent) or
    // unknown (sent, the link broke or the deadline passed).
    virtual task<Result<Reply>> call(Command command) = 0;
};

}  // namespace jobq
