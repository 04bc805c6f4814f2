#include "core/store/redis/imports.h"

#include "core/job/codec.h"
#include "core/store/link/scripts.h"
#include "core/store/redis/cause_args.h"

namespace jobq {
namespace {

// Enough to tell a repeat from another job that has the jid.
bool alike(const Job& a, const Job& b) {
    return a.type == b.type && a.queue == b.queue && a.args == b.args;
}

size_t weight_of(const Imported& one) {
    return one.job.args.size() + one.job.custom.size() + one.record.failure.size() + 1'024;
}

void add_one(Command& args, const Imported& one) {
    const Job& job = one.job;
    const bool has_record = !(one.record == JobRecord{});
    args.add(job.jid).add(encode_job(job, has_record)).add(header_of(job.queue, job.priority));
    args.add(name(one.state)).add(one.at_ms);
    args.add(has_record ? encode_record(one.record) : std::string());
    if (one.state == State::retrying || one.state == State::dead) {
        add_cause(args, job.type, one.record);
    } else {
        args.add("").add("");
    }
}

}  // namespace

// What is asked in one script call: jobs[from] to jobs[to]. Those whose jid is live are noted in
// `undecided`.
task<Result<>> RedisImports::bring_in_part(const std::vector<Imported>* jobs, size_t from,
                                           size_t to, std::vector<Result<Enqueued>>* results,
                                           std::vector<size_t>* undecided) {
    int64_t now = caller_.wall_ms();
    Command args;
    args.add("imp:" + std::to_string(bucket_second(now, limits::kImportMarkMs)));
    args.add(int64_t(caller_.options().publish_hints)).add(int64_t(to - from));
    for (size_t i = from; i < to; ++i)
        add_one(args, (*jobs)[i]);
    auto reply = co_await caller_.run(scripts::import, std::move(args), to - from);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    for (size_t i = from; i < to; ++i) {
        const Imported& one = (*jobs)[i];
        std::string code;
        if (reply->kind == Reply::Kind::array) code = reply->at(i - from).text;
        Enqueued how{Enqueued::How::stored, one.job.jid, one.state};
        if (code == "m") how.how = Enqueued::How::same;
        (*results)[i] = how;
        if (code == "=") undecided->push_back(i);
    }
    co_return Result<>{};
}

task<Result<std::vector<Result<Enqueued>>>> RedisImports::bring_in(std::vector<Imported> jobs) {
    std::vector<Result<Enqueued>> results(jobs.size(), Enqueued{});
    std::vector<size_t> undecided;
    size_t from = 0;
    while (from < jobs.size()) {
        size_t to = from, bytes = 0;
        while (to < jobs.size() && to - from < limits::kScriptJobs &&
               (to == from || bytes < limits::kScriptBytes))
            bytes += weight_of(jobs[to++]);
        auto part = co_await bring_in_part(&jobs, from, to, &results, &undecided);
        if (!part) co_return tl::unexpected<Error>(part.error());
        from = to;
    }
    if (undecided.empty()) co_return results;
    std::vector<std::string> jids;
    for (size_t i : undecided)
        jids.push_back(jobs[i].job.jid);
    auto views = co_await jobs_.get(std::move(jids));
    if (!views) co_return tl::unexpected<Error>(views.error());
    for (size_t k = 0; k < undecided.size(); ++k) {
        size_t i = undecided[k];
        const auto& view = (*views)[k];
        if (view && alike(view->job, jobs[i].job)) {
            results[i] = Enqueued{Enqueued::How::same, jobs[i].job.jid, view->state};
        } else {
            results[i] =
                fail(ErrorCode::duplicate,
                     "the id " + jobs[i].job.jid + " belongs to another job that has not finished");
        }
    }
    co_return results;
}

}  // namespace jobq
