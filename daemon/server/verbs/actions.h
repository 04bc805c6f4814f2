// Actions: what a JOBQ verb with one answer does, and the HTTP API with it: from a JSON object to a
// JSON object, whoever asks. In inspect.cpp, logs.cpp, result.cpp, change.cpp, operate.cpp,
// dead_groups.cpp and admin.cpp. handlers.cpp makes verbs of
// them, daemon/http/api calls them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/base/error.h"
#include "core/protocol/job_wire.h"
#include "daemon/server/context.h"

namespace jobq::verbs {

// JSON text.
using Answer = Result<std::string>;
using Action = task<Answer> (*)(ServerContext& context, std::string argument);

// What makes stored jobs ready: by whom is asked, as some may not have commands run.
using Rerun = task<Answer> (*)(ServerContext& context, std::string argument, Caller from);

task<Answer> status(ServerContext& context, std::string argument);
task<Answer> result(ServerContext& context, std::string argument);
task<Answer> list(ServerContext& context, std::string argument);
task<Answer> cancel(ServerContext& context, std::string argument);
task<Answer> retry(ServerContext& context, std::string argument, Caller from);
task<Answer> release(ServerContext& context, std::string argument, Caller from);
task<Answer> remove(ServerContext& context, std::string argument);
task<Answer> retry_dead(ServerContext& context, std::string argument, Caller from);
task<Answer> dead_groups(ServerContext& context, std::string argument);
task<Answer> operate(ServerContext& context, std::string argument, Caller from);
task<Answer> operations(ServerContext& context, std::string argument);
task<Answer> stop_operation(ServerContext& context, std::string argument);
task<Answer> queues(ServerContext& context, std::string argument);
task<Answer> pause(ServerContext& context, std::string argument);
task<Answer> resume(ServerContext& context, std::string argument);
task<Answer> clear(ServerContext& context, std::string argument);
task<Answer> stats(ServerContext& context, std::string argument);
task<Answer> workers(ServerContext& context, std::string argument);
task<Answer> signal(ServerContext& context, std::string argument);
task<Answer> ping(ServerContext& context, std::string argument);

// What is kept of a job that succeeded, with what a file has of a result of at most `most` bytes.
// conflict: it did not.
task<Result<FinalRecord>> kept_result(ServerContext& context, std::string jid, int64_t most);
// too_large: it is JSON, and not whole.
std::optional<Error> refused_result(Broker& broker, const std::string& jid,
                                    const FinalRecord& record);

// Where a stream of JSON messages goes: a session, or an HTTP answer.
class Messages {
  public:
    virtual ~Messages() = default;
    virtual void send(std::string_view json) = 0;
    virtual bool closed() const = 0;
    // Until the other side has taken most of what was sent.
    virtual task<void> drained() = 0;
    // Of what a job wrote; as JSON unless the other side wants it otherwise. In logs.cpp.
    virtual void output(int attempt, const OutputPiece& piece);
    virtual void left_out(int attempt, OutputStream stream, LeftOut part);

    bool takes_bytes = false;  // those that are no text as base 64, instead of mended
};

// What a profiler of this process wrote; core/profile reads it.
struct TakenProfile {
    std::string format, bytes;
    int64_t duration_ms = 0;  // 0: of all the time since the start
};

// In profile.cpp. `kind` is cpu or heap. Ends early, with an error, when `going` is notified, as
// who asked went; `going` outlives it. `busy` while another one is taken.
task<Result<TakenProfile>> take_profile(ServerContext& context, std::string kind,
                                        int64_t duration_ms, Signal* going);

// An error: perhaps after some messages. `to` outlives it.
using Streaming = task<Result<>> (*)(ServerContext& context, std::string argument, Messages* to);

task<Result<>> wait(ServerContext& context, std::string argument, Messages* to);
task<Result<>> logs(ServerContext& context, std::string argument, Messages* to);
task<Result<>> events(ServerContext& context, std::string argument, Messages* to);

// What ENQUEUE says of a job that was asked for.
Answer enqueued(Broker& broker, const EnqueueRequest& request, const Result<Enqueued>& result);

}  // namespace jobq::verbs
