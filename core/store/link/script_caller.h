// ScriptCaller: calls the scripts of one store on one Redis, and is what the classes of
// core/store/redis and core/store/doctor share: the link, the names of keys, the clock, the tokens,
// and the way to tell who waits. Asks the StorageGate before each script, and holds each answer
// against its form.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/async/reactor.h"
#include "core/async/task.h"
#include "core/base/error.h"
#include "core/store/keys.h"
#include "core/store/link/redis_link.h"
#include "core/store/link/script.h"
#include "core/store/storage_gate.h"

namespace jobq {

// What is sent together.
enum class StoreBatch : uint8_t { enqueue, fetch, finish };

struct RedisStoreOptions {
    bool publish_hints = false;   // other daemons share this Redis
    std::string token_prefix;     // unique to this process; "" takes a random one
    int calls_in_flight = 2;      // of each coalesced operation
    StorageGate* gate = nullptr;  // outlives the store; none: everything may be written
    std::function<void(StoreBatch what, size_t count)> on_batch{};  // told of each that goes out
};

class ScriptCaller {
  public:
    using Ready = std::function<void(const std::string& queue)>;

    // `ready` is told of queues to look at: see Store::on_ready().
    ScriptCaller(Reactor& reactor, RedisLink& link, Keys keys, RedisStoreOptions options,
                 Ready ready);
    ScriptCaller(const ScriptCaller&) = delete;

    // Calls the script with the prefix as its key and `args`; an error reply becomes an Error, and
    // so does one of another form (answer_form.h). `jobs`: how many it was asked about, where it
    // answers for each.
    task<Result<Reply>> run(const Script& script, Command args, size_t jobs = 0);
    // A plain command, as it is.
    task<Result<Reply>> call(Command command);
    // Loads all scripts, so that the first call of each need not.
    task<Result<>> load();

    // Tells the other daemons, where there may be some: `word` befell the jobs.
    task<void> hint(std::string word, std::vector<std::string> jids);
    // The names from `from` on are queues to look at.
    void tell_ready(const Reply& reply, size_t from) const;

    // So many of one kind go out together.
    void tell(StoreBatch what, size_t count) const {
        if (options_.on_batch) options_.on_batch(what, count);
    }

    // Of a lease, never given before.
    std::string next_token();

    const Keys& keys() const { return keys_; }

    const RedisStoreOptions& options() const { return options_; }

    Reactor& reactor() const { return reactor_; }

    int64_t wall_ms() const { return reactor_.wall_ms(); }

  private:
    Reactor& reactor_;
    RedisLink& link_;
    Keys keys_;
    RedisStoreOptions options_;
    Ready ready_;
    uint64_t tokens_ = 0;
};

}  // namespace jobq
