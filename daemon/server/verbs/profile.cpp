// JOBQ PROFILE: where this process spends CPU time and memory, and which of its tasks wait for
// what.
#include "daemon/observe/profile.h"

#include "core/base/base64.h"
#include "core/base/limits.h"
#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/handlers.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr std::string_view kOwnFile = "daemon/server/verbs/profile.cpp";

// Without the directory the sources were in when they were compiled.
std::string_view source_path(const char* file) {
    constexpr size_t kRoot = std::string_view(__FILE__).size() - kOwnFile.size();
    std::string_view path(file);
    constexpr std::string_view kHere(__FILE__);
    return path.substr(0, kRoot) == kHere.substr(0, kRoot) ? path.substr(kRoot) : path;
}

std::string tasks_json(Reactor& reactor) {
    JsonWriter json;
    json.begin_object().key("tasks").begin_array();
    int64_t now = reactor.waits().now_ms();
    reactor.waits().each([&](const WaitNode& wait) {
        json.begin_object().field("waits_for", wait.kind());
        json.field("waiting_ms", now - wait.since_ms()).key("stack").begin_array();
        for (const AwaitFrame* frame = &wait.frame(); frame; frame = frame->caller) {
            auto path = source_path(frame->at.file);
            if (path.starts_with("core/async/")) continue;  // a gate: it says nothing
            json.begin_object().field("function", frame->at.function).field("file", path);
            json.field("line", frame->at.line).end_object();
        }
        json.end_array().end_object();
    });
    json.end_array().end_object();
    return json.take();
}

std::string profile_json(const TakenProfile& taken) {
    JsonWriter json;
    json.begin_object().field("format", taken.format).field("duration_ms", taken.duration_ms);
    json.key("modules").begin_array();
    for (const auto& module : loaded_modules())
        json.begin_object()
            .field("path", module.path)
            .field("build_id", module.build_id)
            .end_object();
    json.end_array().field("profile_base64", base64_encode(taken.bytes)).end_object();
    return json.take();
}

}  // namespace

task<Result<TakenProfile>> take_profile(ServerContext& context, std::string kind,
                                        int64_t duration_ms, Signal* going) {
    if (context.profiling)
        co_return fail(ErrorCode::busy, "another profile of this jobqd is being taken; try again");
    auto started = kind == "cpu" ? Profile::start_cpu(context.status.state_dir)
                                 : Profile::start_heap(context.status.state_dir);
    if (!started) co_return tl::unexpected<Error>(started.error());
    auto profile = std::move(*started);
    int64_t begin = context.reactor.now_ms();
    TakenProfile taken;
    taken.format = profile->format();
    if (profile->takes_time()) {
        context.profiling = true;
        auto end = going->wait(duration_ms);
        const bool gone = co_await end;
        context.profiling = false;
        if (gone)
            co_return fail(ErrorCode::cancelled,
                           "the client that requested the profile has disconnected");
        taken.duration_ms = context.reactor.now_ms() - begin;
    }
    auto bytes = profile->finish();
    if (!bytes) co_return tl::unexpected<Error>(bytes.error());
    taken.bytes = std::move(*bytes);
    co_return taken;
}

task<void> profile(Session& session, std::string argument) {
    Request request(argument);
    auto kind = request.some_text("kind");
    auto duration_ms = request.number("duration_ms", limits::kProfileMs);
    if (kind != "cpu" && kind != "heap" && kind != "tasks" && !kind.empty())
        request.refuse("\"kind\" must be cpu, heap or tasks");
    if (duration_ms < 1 || duration_ms > limits::kProfileMaxMs)
        request.refuse("\"duration_ms\" must be 1 to " + std::to_string(limits::kProfileMaxMs));
    if (request.error()) {
        session.reply_error(*request.error());
    } else if (kind == "tasks") {
        session.reply_bulk(tasks_json(session.context().reactor));
    } else {
        if (session.closed()) co_return;
        auto taken = co_await take_profile(session.context(), std::move(kind), duration_ms,
                                           &session.going());
        if (session.closed()) co_return;
        if (taken) {
            session.reply_bulk(profile_json(*taken));
        } else {
            session.reply_error(taken.error());
        }
    }
}

}  // namespace jobq::verbs
