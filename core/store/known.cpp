// See known.h. A client of jobq's own says what it means (Reuse); of a plain Faktory client the
// times must tell a repeat from a new use.
#include "core/store/known.h"

namespace jobq {
namespace {

bool is_same(const Job& job, const JobView& known) {
    if (!is_final(known.state)) return !known.corrupt && same_work(job, known.job);
    const FinalRecord& final = known.final;
    if (final.type != job.type || final.queue != job.queue) return false;
    return final.content == 0 || final.content == content_of(job);
}

Result<Enqueued> other_has_key(const Job& job, const JobView& known) {
    return fail(ErrorCode::duplicate, "the idempotency key " + job.idempotency_key +
                                          " belongs to job " + known.job.jid +
                                          ", which has another type, queue, priority or payload; "
                                          "use a different key for each job");
}

Result<Enqueued> other_has_jid(const Job& job, const JobView& known) {
    std::string text = "the id " + job.jid + " belongs to another job";
    if (is_final(known.state)) {
        text += ", which is " + std::string(name(known.state)) +
                " and still kept; use another id, or reuse this one with --again or \"again\":true";
    } else {
        text += " that has not finished; omit the id, or use another one";
    }
    return fail(ErrorCode::duplicate, std::move(text));
}

// A client that says no more than the jid: does it repeat itself?
bool is_repeat(const JobView& known, int64_t now_ms) {
    if (is_final(known.state)) return now_ms - known.final.finished_ms < limits::kRepeatMs;
    const bool waits = known.state == State::ready || known.state == State::scheduled;
    // Its first run is to come, so it is what was asked for, whenever that was.
    if (waits && known.record.attempts == 0) return true;
    return now_ms - known.job.created_ms < limits::kRepeatBegunMs;
}

}  // namespace

std::optional<Result<Enqueued>> answer_for_known(const Job& job, const JobView& known,
                                                 int64_t now_ms) {
    const bool same = is_same(job, known), plain = job.reuse == Reuse::plain;
    if (is_final(known.state)) {
        if (job.reuse == Reuse::again) return std::nullopt;
        if (plain && !(same && is_repeat(known, now_ms))) return std::nullopt;
    }
    if (!same || (plain && !is_repeat(known, now_ms))) return other_has_jid(job, known);
    return Enqueued{Enqueued::How::same, job.jid, known.state};
}

Result<Enqueued> answer_for_key(const Job& job, const JobView& known) {
    if (!is_same(job, known)) return other_has_key(job, known);
    const bool same_jid = known.job.jid == job.jid;
    return Enqueued{same_jid ? Enqueued::How::same : Enqueued::How::existing, known.job.jid,
                    known.state};
}

}  // namespace jobq
