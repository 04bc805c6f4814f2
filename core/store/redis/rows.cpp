#include "core/store/redis/rows.h"

#include "core/job/codec.h"

namespace jobq {
namespace {

// False: more of its envelope is needed than was read.
bool fill_job(JobView& view, const std::string& jid, const std::string& envelope, int64_t size) {
    view.job.jid = jid;
    view.corrupt = false;
    if (int64_t(envelope.size()) < size) {
        auto head = decode_job_preview(jid, envelope);
        if (!head || head->args_bytes == 0) return false;
        view.job = std::move(head->job);
        view.args_bytes = int64_t(head->args_bytes);
        return true;
    }
    auto job = decode_job(jid, envelope);
    view.job = job ? std::move(*job) : salvage_job(jid, envelope);
    view.corrupt = !job;
    view.args_bytes = int64_t(view.job.args.size());
    return true;
}

}  // namespace

void fill_final(JobView& view, const std::string& jid, const std::string& bytes) {
    view.job.jid = jid;
    auto record = decode_final(bytes);
    if (!record) {
        view.corrupt = true;
        view.state = State::succeeded;
        return;
    }
    view.final = std::move(*record);
    view.state = view.final.state;
    view.job.type = view.final.type;
    view.job.queue = view.final.queue;
    view.job.created_ms = view.final.created_ms;
    view.job.tags = view.final.tags;
    view.record.attempts = view.final.attempts;
}

void fill_last_final(JobView& view, const std::string& jid, const Reply& row) {
    fill_final(view, jid, row.at(1).text);
    for (size_t i = 2; i < row.items.size(); ++i) {
        JobView other;
        fill_final(other, jid, row.items[i].text);
        if (other.final.finished_ms > view.final.finished_ms) view = std::move(other);
    }
}

bool fill_live(JobView& view, const std::string& jid, const Reply& row) {
    view.state = state_from_name(row.at(0).text).value_or(State::ready);
    if (!fill_job(view, jid, row.at(1).text, integer_of(row.at(6)))) return false;
    if (!row.at(2).text.empty()) {
        auto record = decode_record(row.at(2).text);
        if (record) view.record = std::move(*record);
        view.corrupt = view.corrupt || !record;
    }
    if (view.state == State::running) {
        view.owner = row.at(3).text;
        const std::string& held = row.at(4).text;
        size_t space = held.find(' ');
        view.token = held.substr(0, space);
        Reply started;
        started.text = held.substr(space + 1);
        view.started_ms = integer_of(started);
        view.cancel_asked = integer_of(row.at(5)) == 1;
    } else {
        view.at_ms = integer_of(row.at(3));
    }
    return true;
}

Leased leased_of(const Reply& jid, const Reply& envelope, const Reply& record,
                 const std::string& token, int64_t started_ms) {
    Leased lease;
    lease.token = token;
    lease.started_ms = started_ms;
    auto job = decode_job(jid.text, envelope.text);
    if (job) {
        lease.job = std::move(*job);
    } else {
        lease.job = salvage_job(jid.text, envelope.text);
        lease.damage = job.error().text;
        lease.corrupt = true;
    }
    if (!record.text.empty()) {
        auto decoded = decode_record(record.text);
        if (decoded) {
            lease.record = std::move(*decoded);
        } else {
            lease.damage = decoded.error().text;
            lease.corrupt = true;
        }
    }
    return lease;
}

}  // namespace jobq
