#include "core/store/doctor/doctor.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/store/link/scripts.h"

namespace jobq {
namespace {

constexpr int64_t kPageBytes = 256 << 10;
constexpr size_t kBatchesCounted = 100'000;  // the counts of more are not judged

bool has_prefix(const std::string& text, std::string_view prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

// "q:mail:7" is the list of header "7mail".
std::string header_of_list(const std::string& name) {
    size_t colon = name.find(':', 2);
    if (colon == name.npos) return "5" + name.substr(2);
    return name.substr(colon + 1) + name.substr(2, colon - 2);
}

}  // namespace

uint64_t Fingerprints::hash_of(std::string_view text) {
    uint64_t hash = std::hash<std::string_view>()(text);
    return hash ? hash : 1;
}

bool Fingerprints::add(uint64_t hash) {
    if (2 * (used_ + 1) > slots_.size()) {
        std::vector<uint64_t> old(std::max<size_t>(1024, 2 * slots_.size()));
        old.swap(slots_);
        used_ = 0;
        for (uint64_t one : old)
            if (one != 0) add(one);
    }
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != 0 && slots_[at] != hash)
        at = (at + 1) & (slots_.size() - 1);
    if (slots_[at] == hash) return false;
    slots_[at] = hash;
    ++used_;
    return true;
}

bool Fingerprints::has(uint64_t hash) const {
    if (slots_.empty()) return false;
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at] != 0 && slots_[at] != hash)
        at = (at + 1) & (slots_.size() - 1);
    return slots_[at] == hash;
}

void Fingerprints::clear() {
    std::fill(slots_.begin(), slots_.end(), 0);
    used_ = 0;
}

task<Result<CheckPage>> Doctor::next() {
    page_ = CheckPage{};
    if (!planned_) {
        planned_ = true;
        // Each body is looked at, and so is its place. Counters may be damaged, this can't be;
        // where the key has a wrong type, that is to be found.
        Command size("HLEN", caller_.keys().of("j"));
        auto bodies = co_await caller_.call(std::move(size));
        if (!bodies) co_return tl::unexpected<Error>(bodies.error());
        if (bodies->kind == Reply::Kind::integer)
            expected_ = 2 * std::clamp<int64_t>(bodies->integer, 0, INT64_MAX / 2);
        steps_.push_back({&Doctor::keys_page, ""});
    }
    auto done = co_await (this->*steps_.front().page)();
    if (!done) co_return tl::unexpected<Error>(done.error());
    page_.looked_at = looked_at_;
    page_.expected = std::max(expected_, looked_at_);
    page_.over = steps_.empty();
    page_.cut_short = wrong_types_;
    co_return std::move(page_);
}

void Doctor::add_findings(const Reply& rows) {
    for (const auto& row : rows.items)
        page_.findings.push_back({row.at(0).text, row.at(1).text, row.at(2).text, fix_});
}

task<Result<Reply>> Doctor::ask(const Script& script, Command args, size_t findings) {
    auto reply = co_await caller_.run(script, std::move(args));
    if (reply) add_findings(findings < reply->items.size() ? reply->items[findings] : *reply);
    co_return reply;
}

void Doctor::adapt(int64_t bytes) {
    int64_t fits = bytes > 0 ? count_ * kPageBytes / bytes : kCheckedAtOnce;
    count_ = std::clamp<int64_t>(std::min(fits, 2 * count_), 1, kCheckedAtOnce);
}

void Doctor::end_step() {
    steps_.pop_front();
    cursor_ = "0";
    count_ = kFirstCount;
    last_page_.clear();
}

// --- the keys ---------------------------------------------------------------------------------

task<Result<>> Doctor::keys_page() {
    Command args;
    args.add(cursor_).add(int64_t(fix_));
    auto reply = co_await ask(scripts::check_keys, std::move(args), 1);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    for (const auto& finding : page_.findings)
        wrong_types_ = wrong_types_ || (finding.kind == "wrong_type" && !fix_);
    Command links;
    links.add(caller_.wall_ms()).add(kStoreSchema).add(int64_t(fix_));
    std::vector<std::string> names;
    for (const auto& item : reply->items[2].items) {
        links.add(item.text);
        names.push_back(item.text);
    }
    const std::string cursor = reply->items[0].text;
    // Scripts fail on keys of a wrong type.
    if (!wrong_types_) {
        auto linked = co_await ask(scripts::check_links, std::move(links), size_t(-1));
        if (!linked) co_return tl::unexpected<Error>(linked.error());
        auto noted = co_await note_batches(names);
        if (!noted) co_return noted;
    }
    looked_at_ += int64_t(names.size());
    for (auto& name : names) {
        if (has_prefix(name, "q:")) lists_.push_back(header_of_list(name));
        if (has_prefix(name, "passed:"))
            lists_.push_back("passed:" + header_of_list("q:" + name.substr(7)));
        if (has_prefix(name, "run:")) owners_.push_back(name.substr(4));
        if (has_prefix(name, "slot:")) slots_.push_back(name);
    }
    cursor_ = cursor;
    if (cursor_ != "0") co_return Result<>{};
    end_step();
    if (!wrong_types_) plan_passes();
    co_return Result<>{};
}

void Doctor::plan_passes() {
    for (auto* all : {&lists_, &owners_, &slots_}) {
        std::sort(all->begin(), all->end());
        all->erase(std::unique(all->begin(), all->end()), all->end());
    }
    passes_ = 1 + int(size_t(expected_ / 2) / fingerprints_);
    for (const char* hash : {"queues", "own", "stat", "tomb"})
        steps_.push_back({&Doctor::fields_page, hash});
    steps_.push_back({&Doctor::before_jobs, ""});
    for (const auto& list : lists_)
        steps_.push_back({&Doctor::list_page, list});
    for (const auto& owner : owners_)
        steps_.push_back({&Doctor::run_page, owner});
    for (const char* set : {"scheduled", "retrying", "dead"})
        steps_.push_back({&Doctor::set_page, set});
    steps_.push_back({&Doctor::jobs_page, ""});
    steps_.push_back({&Doctor::after_jobs, ""});
    for (pass_ = 1; pass_ < passes_; ++pass_) {
        steps_.push_back({&Doctor::next_pass, ""});
        for (const auto& list : lists_)
            steps_.push_back({&Doctor::list_page, list});
        steps_.push_back({&Doctor::jobs_page, ""});
    }
    pass_ = 0;
    for (const char* hash : {"m", "cancel", "lock", "idem"})
        steps_.push_back({&Doctor::fields_page, hash});
    for (const auto& slot : slots_)
        steps_.push_back({&Doctor::fields_page, slot});
    steps_.push_back({&Doctor::fields_page, "tie"});
    steps_.push_back({&Doctor::before_failed, ""});
    steps_.push_back({&Doctor::failed_page, ""});
    steps_.push_back({&Doctor::after_failed, ""});
    for (const char* set : {"idemx", "batches", "buckets", "names"})
        steps_.push_back({&Doctor::ends_page, set});
    for (const auto& [bid, ties] : batches_)
        steps_.push_back({&Doctor::batch_step, bid});
}

task<Result<>> Doctor::next_pass() {
    ++pass_;
    listed_.clear();
    end_step();
    co_return Result<>{};
}

// --- what stands beside the jobs --------------------------------------------------------------

task<Result<>> Doctor::fields_page() {
    const std::string hash = steps_.front().name;
    Command args;
    args.add(hash).add(cursor_).add(count_).add(int64_t(fix_)).add(caller_.wall_ms());
    auto reply = co_await ask(scripts::check_fields, std::move(args), 3);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    looked_at_ += integer_of(reply->items[1]);
    if (hash == "tie") count_ties(reply->items[4]);
    adapt(integer_of(reply->items[2]));
    cursor_ = reply->items[0].text;
    if (cursor_ == "0") end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::ends_page() {
    Command args;
    args.add(steps_.front().name).add(cursor_).add(kCheckedAtOnce).add(int64_t(fix_));
    auto reply = co_await ask(scripts::check_ends, std::move(args), 2);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    looked_at_ += integer_of(reply->items[1]);
    cursor_ = reply->items[0].text;
    if (cursor_ == "0") end_step();
    co_return Result<>{};
}

// --- batches ----------------------------------------------------------------------------------

task<Result<>> Doctor::note_batches(std::vector<std::string> names) {
    for (const auto& name : names) {
        if (!has_prefix(name, "batch:") || batches_.size() >= kBatchesCounted) continue;
        Command args;
        args.add(caller_.wall_ms()).add(0).add(name.substr(6)).add("").add("").add("");
        auto reply = co_await caller_.run(scripts::check_batch, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        batches_[name.substr(6)].before = reply->text;
    }
    co_return Result<>{};
}

void Doctor::count_ties(const Reply& rows) {
    for (size_t i = 1; i < rows.items.size(); i += 2)
        for (auto word : split(rows.items[i].text, ' ')) {
            if (word.empty() || std::string_view("bfck").find(word[0]) == std::string_view::npos)
                continue;
            auto batch = batches_.find(std::string(word.substr(1)));
            if (batch == batches_.end()) continue;
            // A scan may give a field twice.
            if (!tied_.add(Fingerprints::hash_of(rows.items[i - 1].text + ' ' + std::string(word))))
                continue;
            ++batch->second.live;
            batch->second.pending += word[0] == 'b';
        }
}

task<Result<>> Doctor::batch_step() {
    const std::string bid = steps_.front().name;
    const BatchTies& ties = batches_.at(bid);
    Command args;
    args.add(caller_.wall_ms()).add(int64_t(fix_)).add(bid).add(ties.before);
    args.add(ties.pending).add(ties.live);
    auto reply = co_await ask(scripts::check_batch, std::move(args), size_t(-1));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    ++looked_at_;
    end_step();
    co_return Result<>{};
}

}  // namespace jobq
