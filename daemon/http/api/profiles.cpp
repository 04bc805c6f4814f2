// GET /debug/pprof/profile and /debug/pprof/heap: where this process spends CPU time and memory,
// for `go tool pprof` and its kin. Without the names of functions: whoever reads it has the file
// that jobqd runs, or asks `jobq profile`.
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/profile/pprof.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"
#include "daemon/observe/profile.h"

namespace jobq::api {
namespace {

Result<std::string> in_pprof_form(const verbs::TakenProfile& taken, int64_t now_ms) {
    auto raw = parse_profile(taken.format, taken.bytes);
    if (!raw) return tl::unexpected<Error>(raw.error());
    PprofAbout about;
    about.taken_ms = now_ms;
    about.duration_ms = taken.duration_ms;
    for (const auto& module : loaded_modules())
        about.build_ids[plain_path(module.path)] = module.build_id;
    return to_pprof(*raw, about);
}

task<HttpResponse> profile(ApiCall call, const char* kind) {
    int64_t duration_ms = limits::kProfileMs;
    for (const auto& [name, value] : call.query)
        if (name == "seconds") duration_ms = parse_int(value).value_or(0) * 1000;
    Signal going(call.context.reactor);
    call.exchange->tell_when_gone([&going] { going.notify_all(); });
    if (call.exchange->gone()) co_return HttpResponse{};
    auto taken = co_await verbs::take_profile(call.context, kind, duration_ms, &going);
    call.exchange->tell_when_gone({});
    if (!taken) co_return problem(taken.error());
    auto bytes = in_pprof_form(*taken, call.context.reactor.wall_ms());
    if (!bytes) co_return problem(bytes.error());
    HttpResponse response;
    response.type = "application/octet-stream";
    response.headers = {
        {"Content-Disposition", "attachment; filename=\"jobqd-" + std::string(kind) + ".pb\""}};
    response.body = std::move(*bytes);
    co_return response;
}

}  // namespace

task<HttpResponse> list_profiles(ApiCall) {
    HttpResponse response;
    response.type = "text/plain; charset=utf-8";
    response.body =
        "profile?seconds=10  where jobqd spends CPU time, for pprof\n"
        "heap?seconds=10     where jobqd spends memory, for pprof\n"
        "In a terminal: jobq profile; see jobq(1).\n";
    co_return response;
}

task<HttpResponse> profile_cpu(ApiCall call) {
    return profile(std::move(call), "cpu");
}

task<HttpResponse> profile_heap(ApiCall call) {
    return profile(std::move(call), "heap");
}

}  // namespace jobq::api
