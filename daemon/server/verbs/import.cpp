// JOBQ IMPORT: jobs of another store, many at a time. Shapes in jobq-protocol(7).
#include "core/base/text.h"
#include "core/json/writer.h"
#include "core/protocol/import_wire.h"
#include "daemon/server/verbs/handlers.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

void write_result(JsonWriter& json, const Result<Enqueued>& result) {
    json.begin_object();
    if (!result) {
        json.field("error", info(result.error().code).name).field("text", result.error().text);
    } else {
        json.field("how", result->how == Enqueued::How::stored ? "stored" : "same");
    }
    json.end_object();
}

}  // namespace

task<void> import_jobs(Session& session, std::string argument) {
    // A job with args of full depth, in its wrapping, in the array.
    Request request(argument, limits::kJsonDepth + 6);
    const JsonField* jobs = request.field("jobs");
    bool dry_run = request.flag("dry_run");
    if (!jobs || jobs->kind != JsonField::Kind::array) request.refuse("\"jobs\" is required");
    if (request.error()) {
        session.reply_error(*request.error());
        co_return;
    }
    Broker& broker = session.broker();
    int64_t now = session.context().reactor.wall_ms();
    std::vector<Result<Enqueued>> results;
    std::vector<Imported> good;
    std::vector<size_t> places;
    for (const auto& element : json_array(jobs->raw)) {
        auto one = parse_import(element.raw, now);
        auto own = one ? broker.intake().refusal(one->job, session.caller()) : std::nullopt;
        if (own) one = tl::unexpected<Error>(std::move(*own));
        if (one) {
            places.push_back(results.size());
            results.emplace_back(Enqueued{});
            good.push_back(std::move(*one));
        } else {
            results.emplace_back(tl::unexpected<Error>(one.error()));
        }
    }
    if (!dry_run && !good.empty()) {
        auto stored = co_await session.broker().intake().import_jobs(std::move(good));
        if (!stored) {
            session.reply_error(stored.error());
            co_return;
        }
        for (size_t i = 0; i < places.size(); ++i)
            results[places[i]] = std::move((*stored)[i]);
    }
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (const auto& result : results)
        write_result(json, result);
    json.end_array().end_object();
    session.reply_bulk(json.take());
}

}  // namespace jobq::verbs
