// Dead jobs: listed as any others, and retried by filter.
#include <algorithm>

#include "core/base/text.h"
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

namespace jobq::api {
namespace {

constexpr std::string_view kList = "dead retry";
constexpr std::string_view kMembers[] = {"type",  "queue", "tag",     "error",  "text", "group",
                                         "since", "all",   "dry_run", "cursor", "limit"};

// The body as the verb's argument, its cursor opened.
Result<std::string> argument_of(const std::string& body) {
    auto fields = JsonFields::parse(body);
    if (!fields) return tl::unexpected<Error>(fields.error());
    JsonWriter json;
    json.begin_object();
    for (const auto& field : fields->fields()) {
        if (std::find(std::begin(kMembers), std::end(kMembers), field.key) == std::end(kMembers))
            return fail(ErrorCode::invalid, "unknown field " + json_quoted(field.key) +
                                                "; the known fields are type, queue, tag, error, "
                                                "text, group, since, all, dry_run, "
                                                "cursor, limit");
        if (field.key != "cursor") {
            json.key(field.key).raw(field.raw);
            continue;
        }
        auto sealed = fields->string("cursor");
        if (!sealed) return tl::unexpected<Error>(sealed.error());
        auto cursor = open_cursor(kList, sealed->value_or(""));
        if (!cursor) return cursor;
        json.field("cursor", *cursor);
    }
    json.end_object();
    return json.take();
}

}  // namespace

task<HttpResponse> list_dead(ApiCall call) {
    call.query.emplace_back("state", "dead");
    auto response = co_await list_jobs(std::move(call));
    co_return response;
}

task<HttpResponse> get_dead_groups(ApiCall call) {
    auto answer = co_await verbs::dead_groups(call.context, call.argument());
    co_return respond(answer);
}

task<HttpResponse> retry_dead(ApiCall call) {
    auto argument = argument_of(call.request().body);
    if (!argument) co_return refused_body(argument.error(), call.request().body);
    const Caller from = call.context.access.caller(call.request().is_unix);
    auto answer = co_await verbs::retry_dead(call.context, std::move(*argument), from);
    if (!answer) co_return refused_body(answer.error(), call.request().body);
    co_return respond(with_sealed_next(std::move(answer), kList));
}

}  // namespace jobq::api
