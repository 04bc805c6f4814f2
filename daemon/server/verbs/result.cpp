// JOBQ RESULT: what a job returned: JSON as JSON, all else as text or as base 64. Shapes in
// jobq-protocol(7).
#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {

task<Result<FinalRecord>> kept_result(ServerContext& context, std::string jid) {
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
    const LeftOut cut = view.final.result_cut;
    if (view.final.result_is_json && cut) {
        Error error{ErrorCode::too_large,
                    "the result of job " + jid + " is JSON of " + std::to_string(cut.bytes) +
                        " bytes, which is more than is kept of type " + view.final.type +
                        "; a part of it would be of no use, so nothing was kept"};
        co_return tl::unexpected<Error>(error);
    }
    co_return std::move(view.final);
}

task<Answer> result(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jid = request.some_text("jid");
    const bool takes_bytes = request.flag("binary"), raw = request.flag("raw");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto kept = co_await kept_result(context, jid);
    if (!kept) {
        co_return tl::unexpected<Error>(kept.error());
    }
    const std::string& bytes = kept->result;
    JsonWriter json;
    json.begin_object().field("jid", jid).field("state", name(kept->state));
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
    json.end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
