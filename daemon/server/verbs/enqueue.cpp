// What JOBQ ENQUEUE and POST /api/v1/jobs say of a job that was asked for.
#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"

namespace jobq::verbs {

Answer enqueued(Broker& broker, const EnqueueRequest& request, const Result<Enqueued>& result) {
    const Job& job = request.job;
    if (!result && result.error().code == ErrorCode::not_unique)
        return fail(ErrorCode::not_unique, "a job of type " + job.type + " in queue " + job.queue +
                                               " with the same payload has not finished and holds "
                                               "the unique lock; see `jobq list --type " +
                                               job.type + "`");
    if (!result) return tl::unexpected<Error>(result.error());
    bool stored = result->how == Enqueued::How::stored;
    std::string note = request.late ? "run_at is in the past; the job runs now"
                                    : broker.dispatch().why_no_handler(job.type, job.queue);
    JsonWriter json;
    json.begin_object()
        .field("jid", result->jid)
        .field("state", result->forgotten ? "forgotten" : name(result->state));
    json.field("how", stored                                   ? "stored"
                      : result->how == Enqueued::How::existing ? "existing"
                                                               : "same");
    json.field("durability", broker.storage().durability());
    if (!note.empty()) json.field("note", note);
    json.end_object();
    return json.take();
}

}  // namespace jobq::verbs
