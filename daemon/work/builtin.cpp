#include "daemon/work/builtin.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <thread>

#include "core/base/time.h"
#include "core/json/fields.h"

namespace jobq {
namespace {

HandlerResult failed(std::string message) {
    HandlerResult result;
    result.outcome = Outcome::failure;
    result.error_type = "HandlerError";
    result.message = std::move(message);
    return result;
}

HandlerResult run_noop(const HandlerCall&) {
    return {};
}

HandlerResult run_echo(const HandlerCall& call) {
    HandlerResult result;
    result.result = call.payload;
    return result;
}

Result<int64_t> sleep_ms(std::string_view payload) {
    if (payload.empty()) return fail(ErrorCode::invalid, "sleep needs a duration");
    if (payload[0] == '"') return parse_duration_ms(json_string(payload));
    if (payload[0] == '{') {
        auto object = JsonFields::parse(payload);
        if (!object) return tl::unexpected<Error>(object.error());
        auto ms = object->integer("ms");
        if (!ms || !*ms) return fail(ErrorCode::invalid, "sleep needs {\"ms\": n}");
        return **ms;
    }
    double seconds = 0;
    auto parsed = std::from_chars(payload.data(), payload.data() + payload.size(), seconds);
    if (parsed.ec != std::errc() || seconds < 0 || seconds > 1e9)
        return fail(ErrorCode::invalid, "sleep needs seconds, a duration or {\"ms\": n}");
    return int64_t(seconds * 1000);
}

HandlerResult run_sleep(const HandlerCall& call) {
    auto ms = sleep_ms(call.payload);
    if (!ms) return failed(ms.error().text);
    int64_t until = monotonic_ms() + *ms;
    while (!call.stop->load(std::memory_order_relaxed)) {
        int64_t now = monotonic_ms();
        if (now >= until) return {};
        if (now >= call.deadline_ms) {
            HandlerResult late = failed("stopped by its time limit");
            late.outcome = Outcome::timeout;
            late.error_type = "timeout";
            return late;
        }
        int64_t step = std::min<int64_t>({until - now, call.deadline_ms - now, 20});
        std::this_thread::sleep_for(std::chrono::milliseconds(std::max<int64_t>(step, 1)));
    }
    HandlerResult stopped;
    stopped.outcome = Outcome::cancelled;
    stopped.message = "stopped before it had finished";
    return stopped;
}

HandlerResult run_fail(const HandlerCall& call) {
    HandlerResult result = failed("failed on request");
    if (call.payload.empty() || call.payload[0] != '{') return result;
    auto object = JsonFields::parse(call.payload);
    if (!object) return failed(object.error().text);
    auto message = object->string("message");
    if (message && *message) result.message = **message;
    auto dead = object->boolean("dead");
    if (dead && dead->value_or(false)) result.outcome = Outcome::dead;
    auto times = object->integer("times");
    if (times && *times && call.attempt > **times) return {};
    return result;
}

}  // namespace

Handler builtin(std::string_view type) {
    constexpr std::array<Handler, kBuiltinTypes.size()> kHandlers{run_noop, run_echo, run_sleep,
                                                                  run_fail};
    for (size_t i = 0; i < kHandlers.size(); ++i)
        if (type == kBuiltinTypes[i]) return kHandlers[i];
    return nullptr;
}

std::vector<std::string> builtins_of(const PoolConfig& pool) {
    if (!pool.types.empty()) return pool.types;
    return {kBuiltinTypes.begin(), kBuiltinTypes.end()};
}

int64_t monotonic_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace jobq
