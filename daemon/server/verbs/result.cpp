// JOBQ RESULT: what a job returned: JSON as JSON, all else as text or as base 64. Shapes in
// jobq-protocol(7).
#include <algorithm>
#include <optional>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {

namespace {

// Puts what a file has in the place of what was left out. JSON only as a whole.
void add_from_file(Broker& broker, const std::string& jid, FinalRecord& record) {
    const LeftOut cut = record.result_cut;
    const std::string tail = record.result.substr(std::min(size_t(cut.at), record.result.size()));
    const size_t tail_at = size_t(cut.at + cut.bytes);
    std::string begin = broker.output_files().stdout_of({jid, record.attempts}, int64_t(tail_at));
    if (begin.size() >= tail_at) {
        begin.resize(tail_at);
        record.result = std::move(begin) + tail;
        record.result_cut = {};
        record.result_is_json = record.result_is_json && check_json(record.result);
    } else if (!record.result_is_json && begin.size() > size_t(cut.at)) {
        record.result_cut = {int64_t(begin.size()), int64_t(tail_at - begin.size())};
        record.result = std::move(begin) + tail;
    }
}

}  // namespace

task<Result<FinalRecord>> kept_result(ServerContext& context, std::string jid, int64_t most) {
    std::vector<std::string> one{jid};
    auto views = co_await context.broker.store().get(std::move(one));
    if (!views || !views->front()) {
        co_return tl::unexpected<Error>(views ? views->front().error() : views.error());
    }
    JobView& view = *views->front();
    if (view.state != State::succeeded) {
        Error error{ErrorCode::conflict,
                    "job " + jid + " is " + std::string(name(view.state)) + " and has no result"};
        co_return tl::unexpected<Error>(error);
    }
    const int64_t size = int64_t(view.final.result.size()) + view.final.result_cut.bytes;
    if (view.final.result_cut && size <= most) add_from_file(context.broker, jid, view.final);
    co_return std::move(view.final);
}

std::optional<Error> refused_result(Broker& broker, const std::string& jid,
                                    const FinalRecord& record) {
    if (!record.result_is_json || !record.result_cut) return std::nullopt;
    const std::string bytes = std::to_string(record.result_cut.bytes);
    if (broker.output_files().has({jid, record.attempts}))
        return Error{ErrorCode::too_large,
                     "the result of job " + jid + " is JSON of " + bytes +
                         " bytes, too much for one answer; read it with `jobq result -o raw " +
                         jid + "`"};
    return Error{
        ErrorCode::too_large,
        "the result of job " + jid + " is JSON of " + bytes +
            " bytes, which is more than is kept of type " + record.type +
            "; a part of it would be of no use, so nothing was kept; set output in [type." +
            record.type + "] to keep more of the next"};
}

task<Answer> result(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jid = request.some_text("jid");
    const bool takes_bytes = request.flag("binary"), raw = request.flag("raw");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto kept = co_await kept_result(context, jid, int64_t(limits::kPayloadBytes));
    if (!kept) {
        co_return tl::unexpected<Error>(kept.error());
    }
    if (auto refused = refused_result(context.broker, jid, *kept)) {
        if (!raw) co_return tl::unexpected<Error>(*refused);
    }
    const std::string& bytes = kept->result;
    JsonWriter json;
    json.begin_object().field("jid", jid).field("state", name(kept->state));
    json.field("attempt", kept->attempts);
    if (raw && kept->result_is_json) json.field("json", true);
    if (kept->result_is_json && !raw) {
        json.key("result").raw(bytes);
    } else if (is_utf8(bytes)) {
        json.field("text", bytes);
    } else {
        if (takes_bytes) json.field("b64", base64_encode(bytes));
        if (!takes_bytes) json.field("text", bytes);
        json.field("binary", true);
    }
    if (kept->result_cut)
        json.field("left_out_at", kept->result_cut.at).field("left_out", kept->result_cut.bytes);
    const bool has_more =
        kept->result_cut && context.broker.output_files().has({jid, kept->attempts});
    if (has_more) json.field("more", true);
    json.end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
