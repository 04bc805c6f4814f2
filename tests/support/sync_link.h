// SyncLink: a RedisLink on a blocking Unix socket, for tests of the store without a loop. A call is
// complete when call() returns, so its coroutine never suspends. It can watch calls and lose
// replies.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/store/link/redis_link.h"

struct redisReader;

namespace jobq::test {

class SyncLink final : public RedisLink {
  public:
    // Throws when nothing listens there.
    explicit SyncLink(const std::string& socket_path);
    ~SyncLink() override;
    SyncLink(const SyncLink&) = delete;

    task<Result<Reply>> call(Command command) override;
    // The same without a coroutine, for a test's own commands; throws when the link is broken.
    Reply run(const Command& command);

    template <class... Args>
    Reply command(std::string_view verb, const Args&... args) {
        return run(Command(verb, args...));
    }

    // The next calls are done by Redis, but their answer is lost: unknown. / Are not even sent.
    void lose_replies(int count) { lose_ = count; }

    void refuse_calls(int count) { refuse_ = count; }

    // Sees each command as it is on the wire, and its reply.
    std::function<void(const std::string& wire, const Reply& reply)> on_reply;

    int calls() const { return calls_; }

  private:
    Result<Reply> exchange(const std::string& wire);

    int fd_ = -1;
    redisReader* reader_;
    int lose_ = 0, refuse_ = 0, calls_ = 0;
};

// One line: (nil), "text", 12, !error, [a b].
std::string to_text(const Reply& reply);

}  // namespace jobq::test
