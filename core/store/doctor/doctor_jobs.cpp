// Doctor: jobs and their places: lists, sets, leases, bodies. See doctor.h.
#include <algorithm>

#include "core/job/codec.h"
#include "core/job/decide.h"
#include "core/store/doctor/doctor.h"
#include "core/store/link/scripts.h"

namespace jobq {
namespace {

constexpr size_t kReported = 100'000;  // more findings than this may name a job twice

bool is_header(std::string_view text) {
    return text.size() > 1 && text[0] >= '1' && text[0] <= '9' && is_name(text.substr(1));
}

// The header of the place where a damaged job was seen: what its own bytes say may be wrong.
std::string header_seen(const Job& salvaged,
                        const std::vector<std::pair<std::string, std::string>>& seen) {
    for (const auto& [place, name] : seen) {
        std::string header = name.substr(0, name.find(' '));
        if (is_header(header)) return header;
    }
    if (salvaged.queue.empty()) return "5default";
    return header_of(salvaged.queue, salvaged.priority);
}

// Where a job that is nowhere waited, as far as it says so itself.
void add_target(Command& args, const Job& job, const JobRecord& record, int64_t now) {
    if (!record.reason.empty()) {
        args.add("dead").add(now);
    } else if (record.next_at_ms > 0) {
        args.add("retrying").add(record.next_at_ms);
    } else if (job.run_at_ms > now && record.ready_ms == 0) {
        args.add("scheduled").add(job.run_at_ms);
    } else {
        args.add("ready").add(0);
    }
}

}  // namespace

task<Result<>> Doctor::list_page() {
    // "passed:" before the header: those that were passed over there.
    constexpr std::string_view kPassed = "passed:";
    std::string header = steps_.front().name;
    const bool passed = header.starts_with(kPassed);
    if (passed) header.erase(0, kPassed.size());
    int64_t start = integer_of(Reply{Reply::Kind::string, 0, cursor_, {}});
    Command args;
    args.add(header).add(start).add(kCheckedAtOnce).add(int64_t(fix_ && pass_ == 0));
    args.add(int64_t(passed));
    auto reply = co_await caller_.run(scripts::check_list, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    int64_t there = integer_of(reply->items[0]), looked = integer_of(reply->items[1]);
    std::vector<std::string> suspects;
    std::unordered_set<std::string> page;
    for (const auto& item : reply->items[4].items) {
        const uint64_t hash = Fingerprints::hash_of(item.text);
        page.insert(item.text);
        if (hash % uint64_t(passes_) != uint64_t(pass_)) continue;
        if (!listed_.add(hash) && last_page_.count(item.text) == 0) suspects.push_back(item.text);
    }
    last_page_ = std::move(page);
    if (pass_ == 0) {
        looked_at_ += looked;
        add_findings(reply->items[2]);
        for (const auto& item : reply->items[3].items)
            suspects.push_back(item.text);
    }
    for (auto& jid : suspects) {
        Seen seen;
        seen.emplace_back("list", header);
        auto closer = co_await look_closer(jid, std::move(seen));
        if (!closer) co_return closer;
    }
    cursor_ = std::to_string(start + looked);
    if (looked == 0 || start + looked >= there) end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::set_page() {
    const std::string set = steps_.front().name;
    Command args;
    args.add(set).add(cursor_).add(count_).add(int64_t(fix_));
    auto reply = co_await ask(scripts::check_set, std::move(args), 3);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    looked_at_ += integer_of(reply->items[1]);
    const auto& suspects = reply->items[4].items;
    for (size_t i = 0; i + 1 < suspects.size(); i += 2) {
        Seen seen;
        seen.emplace_back(set, suspects[i + 1].text);
        auto closer = co_await look_closer(suspects[i].text, std::move(seen));
        if (!closer) co_return closer;
    }
    adapt(integer_of(reply->items[2]));
    cursor_ = reply->items[0].text;
    if (cursor_ == "0") end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::run_page() {
    Command args;
    args.add(steps_.front().name).add(cursor_).add(kCheckedAtOnce).add(int64_t(fix_));
    auto reply = co_await ask(scripts::check_run, std::move(args), 2);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    looked_at_ += integer_of(reply->items[1]);
    for (const auto& suspect : reply->items[3].items) {
        Seen seen;
        auto closer = co_await look_closer(suspect.text, std::move(seen));
        if (!closer) co_return closer;
    }
    // Their place is known by no other script; that nobody knows the owner is a finding already.
    for (const auto& item : reply->items[4].items)
        listed_.add(Fingerprints::hash_of(item.text));
    cursor_ = reply->items[0].text;
    if (cursor_ == "0") end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::before_jobs() {
    Command args;
    args.add(0).add("");
    auto reply = co_await caller_.run(scripts::check_counts, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    counts_before_ = reply->at(0).text;
    for (size_t i = 1; i + 1 < reply->items.size(); i += 2) {
        tombs_before_[reply->items[i].text] = reply->items[i + 1].text;
        tombstones_[reply->items[i].text];
    }
    end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::jobs_page() {
    Command args;
    args.add(cursor_).add(count_).add(int64_t(fix_ && pass_ == 0)).add(caller_.wall_ms());
    auto reply = co_await caller_.run(scripts::check_jobs, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    if (pass_ == 0) add_findings(reply->items[2]);
    auto& rows = reply->items;
    for (size_t i = 3; i + 3 < rows.size(); i += 4) {
        if (pass_ == 0) ++looked_at_;
        auto looked = co_await look_at_body(rows[i].text, std::move(rows[i + 1].text),
                                            std::move(rows[i + 2].text), rows[i + 3].text);
        if (!looked) co_return looked;
    }
    adapt(integer_of(rows[1]));
    cursor_ = rows[0].text;
    if (cursor_ == "0") end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::look_at_body(std::string jid, std::string envelope, std::string record,
                                    std::string places) {
    const uint64_t hash = Fingerprints::hash_of(jid);
    const bool mine = hash % uint64_t(passes_) == uint64_t(pass_);
    bool suspect = mine && places.empty() && !listed_.has(hash);
    if (is_tombstone(envelope)) {
        if (pass_ == 0) tombstones_[salvage_job(jid, envelope).queue].insert(hash);
    } else if (pass_ == 0 && places.compare(0, 4, "run:") != 0) {
        auto job = decode_job(jid, envelope);
        auto past = decode_record(record.empty() ? std::string_view("{}") : record);
        const bool buried = places == "dead" && past && past->reason == "corrupt";
        suspect = suspect || (!(job && past) && !buried);
    }
    if (!suspect) co_return Result<>{};
    Seen seen;
    co_return co_await judge(std::move(jid), std::move(seen), std::move(envelope),
                             std::move(record));
}

task<Result<>> Doctor::after_jobs() {
    end_step();
    bool more = true;
    while (more) {  // some queues at a time; with none left the sum of all
        more = !tombstones_.empty();
        Command args;
        args.add(int64_t(fix_)).add(counts_before_);
        for (size_t n = 0; n < limits::kScriptJobs && !tombstones_.empty(); ++n) {
            const auto marks = tombstones_.extract(tombstones_.begin());
            auto before = tombs_before_.find(marks.key());
            args.add(marks.key()).add(before == tombs_before_.end() ? "0" : before->second);
            args.add(int64_t(marks.mapped().size()));
        }
        auto reply = co_await ask(scripts::check_counts, std::move(args), size_t(-1));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
    }
    co_return Result<>{};
}

task<Result<>> Doctor::look_closer(std::string jid, Seen seen) {
    Command body("HGET", caller_.keys().of("j"), jid), past("HGET", caller_.keys().of("m"), jid);
    auto envelope = co_await caller_.call(std::move(body));
    if (!envelope) co_return tl::unexpected<Error>(envelope.error());
    auto record = co_await caller_.call(std::move(past));
    if (!record) co_return tl::unexpected<Error>(record.error());
    if (envelope->is_nil()) co_return Result<>{};  // it is over
    co_return co_await judge(std::move(jid), std::move(seen), std::move(envelope->text),
                             std::move(record->text));
}

task<Result<>> Doctor::judge(std::string jid, Seen seen, std::string envelope, std::string record) {
    const int64_t now = caller_.wall_ms();
    const bool tombstone = is_tombstone(envelope);
    auto job = decode_job(jid, envelope);
    auto past = decode_record(record.empty() ? std::string_view("{}") : record);
    const bool damaged = !tombstone && !(job && past);
    const Job salvaged = job ? std::move(*job) : salvage_job(jid, envelope);
    JobRecord kept = past ? *past : JobRecord{};
    std::string header = job || tombstone ? header_of(salvaged.queue, salvaged.priority)
                                          : header_seen(salvaged, seen);
    Command args;
    args.add(jid).add(int64_t(fix_)).add(now).add(envelope).add(header).add(int64_t(damaged));
    add_target(args, salvaged, kept, now);
    std::string why = !job ? job.error().text : !past ? past.error().text : "";
    args.add(damaged ? encode_record(buried(std::move(kept), why, now)) : std::string());
    for (const auto& [place, name] : seen)
        args.add(place).add(name);
    if (reported_.count(jid)) co_return Result<>{};
    auto reply = co_await ask(scripts::check_job, std::move(args), size_t(-1));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    if (!reply->items.empty() && reported_.size() < kReported) reported_.insert(std::move(jid));
    co_return Result<>{};
}

}  // namespace jobq
