// See checker.h. Each rule is a function over one job's view of the evidence.
#include "tests/chaos/checker.h"

#include <algorithm>
#include <set>

namespace jobq::chaos {
namespace {

// One run of a job, of the marks with one start.
struct Run {
    Mark start;
    int64_t last_us = 0;  // when it was last seen alive
    int64_t end_us = 0;   // 0: it wrote no end
    bool ok = false;
    int64_t answered_us = 0;  // its report, by a holder that writes that down
    bool told = false;        // and it was accepted
};

struct OneJob {
    std::string jid;
    const JobSpec* spec = nullptr;
    std::vector<Run> runs;
    std::vector<const Call*> calls;
    const Stored* stored = nullptr;
};

using Jobs = std::map<std::string, OneJob>;

bool is_final(const std::string& state) {
    return state == "succeeded" || state == "dead" || state == "cancelled" || state == "expired";
}

void add_mark(std::vector<Run>& runs, const Mark& mark) {
    if (mark.kind == Mark::Kind::start) {
        runs.push_back({mark, mark.at_us, 0, false, 0, false});
        return;
    }
    const bool answer = mark.kind == Mark::Kind::told || mark.kind == Mark::Kind::stale;
    // Pids come again: the newest run of it.
    const auto own = std::find_if(runs.rbegin(), runs.rend(), [&](const Run& run) {
        return run.start.pid == mark.pid && run.start.token == mark.token &&
               (run.end_us == 0) != answer;
    });
    if (own == runs.rend()) {
        // Its start was never written: a run still.
        runs.push_back({mark, mark.at_us, 0, false, 0, false});
        return;
    }
    if (answer) {
        own->answered_us = mark.at_us;
        own->told = mark.kind == Mark::Kind::told;
        return;
    }
    own->last_us = mark.at_us;
    if (mark.kind == Mark::Kind::alive) return;
    own->end_us = mark.at_us;
    own->ok = mark.kind == Mark::Kind::end_ok;
}

Jobs by_job(const Evidence& evidence) {
    Jobs jobs;
    for (const auto& [jid, spec] : evidence.jobs)
        jobs[jid].spec = &spec;
    for (const auto& call : evidence.calls)
        jobs[call.jid].calls.push_back(&call);
    std::vector<Mark> marks = evidence.marks;
    std::stable_sort(marks.begin(), marks.end(),
                     [](const Mark& a, const Mark& b) { return a.at_us < b.at_us; });
    for (const auto& mark : marks)
        add_mark(jobs[mark.jid].runs, mark);
    for (const auto& [jid, stored] : evidence.store)
        jobs[jid].stored = &stored;
    for (auto& [jid, job] : jobs)
        job.jid = jid;
    return jobs;
}

bool hits(const Fault& fault, const Run& run) {
    if (fault.pid != 0) return fault.pid == run.start.pid;
    return fault.holder.empty() || fault.holder == run.start.holder;
}

// Until when the end of a run may be untold: it is told at once, but not while jobqd or its store
// is away. Who writes down the answer knows it.
int64_t untold_until(const Evidence& evidence, const Run& run) {
    if (run.answered_us) return run.answered_us;
    if (!run.end_us || evidence.tellers.contains(run.start.holder)) return INT64_MAX;
    int64_t until = run.end_us + evidence.bounds.report_slack_us;
    for (const auto& fault : evidence.faults)
        if (fault.kind == Fault::Kind::trouble && fault.at_us <= until &&
            fault.until_us >= run.end_us)
            until = std::max(until, fault.until_us + evidence.bounds.report_slack_us);
    return until;
}

// Whether the fault took this run's lease, or its end before that was told.
bool excuses(const Fault& fault, const Run& run, const Evidence& evidence) {
    if (fault.kind == Fault::Kind::trouble || !hits(fault, run)) return false;
    if (fault.kind == Fault::Kind::kill) {
        // A process that its holder had forked may say its first word when the holder is dead.
        const int64_t born_us = run.start.at_us - (fault.pid ? 0 : evidence.bounds.born_slack_us);
        return born_us <= fault.at_us && fault.at_us <= untold_until(evidence, run);
    }
    return fault.until_us - fault.at_us >= evidence.bounds.lease_us &&
           run.start.at_us <= fault.until_us && fault.at_us <= untold_until(evidence, run);
}

bool is_excused(const Evidence& evidence, const Run& run) {
    return std::any_of(evidence.faults.begin(), evidence.faults.end(),
                       [&](const Fault& fault) { return excuses(fault, run, evidence); });
}

const Call* acknowledged(const OneJob& job) {
    for (const auto* call : job.calls)
        if (call->kind == Call::Kind::enqueue && call->outcome == Outcome::ok) return call;
    return nullptr;
}

bool any_enqueue(const OneJob& job, Outcome outcome) {
    return std::any_of(job.calls.begin(), job.calls.end(), [&](const Call* call) {
        return call->kind == Call::Kind::enqueue && call->outcome == outcome;
    });
}

class Judge {
  public:
    explicit Judge(const Evidence& evidence) : evidence_(evidence), jobs_(by_job(evidence)) {}

    Report judge();

  private:
    void add(FindingKind kind, const OneJob& job, std::string text) {
        report_.findings.push_back({kind, job.jid, std::move(text)});
    }

    void count(const OneJob& job);
    void check_end(const OneJob& job);
    void check_known(const OneJob& job);
    void check_starts(const OneJob& job);
    void check_overlap(const OneJob& job);
    void check_leases(const OneJob& job);
    void check_times(const OneJob& job);
    void check_again(const OneJob& job);
    void check_finishes(const OneJob& job);
    void check_places(const OneJob& job);
    void check_keys();

    bool ended_rightly_dead(const OneJob& job);
    int64_t most_ahead_us(int64_t until_us) const;

    const Evidence& evidence_;
    Jobs jobs_;
    Report report_;
    int64_t unheard_ = 0;
};

void Judge::count(const OneJob& job) {
    if (job.spec) ++report_.attempted;
    report_.started += int64_t(job.runs.size());
    report_.extra += std::max<int64_t>(0, int64_t(job.runs.size()) - 1);
    if (job.stored) ++report_.states[job.stored->api_state];
    if (acknowledged(job)) {
        ++report_.acknowledged;
    } else if (any_enqueue(job, Outcome::info)) {
        ++report_.unanswered;
        if (!job.runs.empty() || job.stored) ++report_.recovered;
    } else if (any_enqueue(job, Outcome::fail)) {
        ++report_.refused;
    }
}

// A job may die when it used its attempts or its crash budget, not before. Attempts without a run
// were handed to a worker that never heard of it: in all no more than fetches without an answer.
bool Judge::ended_rightly_dead(const OneJob& job) {
    int failed = 0, crashed = 0;
    for (const auto& run : job.runs) {
        if (run.end_us && !run.ok) ++failed;
        if (!run.end_us || is_excused(evidence_, run)) ++crashed;
    }
    const int most = job.spec ? job.spec->max_attempts : 25;
    const int unheard = most - failed - crashed;
    if (crashed >= evidence_.bounds.crashes || unheard <= 0) return true;
    if (unheard_ + unheard > evidence_.unanswered_fetches) return false;
    unheard_ += unheard;
    report_.excused += unheard;
    return true;
}

void Judge::check_end(const OneJob& job) {
    const std::string state = job.stored ? job.stored->api_state : "";
    if (acknowledged(job) && evidence_.drained && !is_final(state))
        return add(FindingKind::lost, job,
                   "acknowledged, and at the end " + (state.empty() ? "not there" : state));
    if (state == "succeeded") {
        const bool ran = std::any_of(job.runs.begin(), job.runs.end(),
                                     [](const Run& run) { return run.end_us && run.ok; });
        if (!ran) add(FindingKind::lost, job, "succeeded without a run that ended well");
    }
    const bool asked = std::any_of(job.calls.begin(), job.calls.end(), [](const Call* call) {
        return call->kind == Call::Kind::cancel && call->outcome != Outcome::fail;
    });
    if ((state == "cancelled" && !asked) || state == "expired")
        add(FindingKind::lost, job, state + ", and nobody asked for that");
    if (state == "dead" && !ended_rightly_dead(job))
        add(FindingKind::lost, job,
            "dead after " + std::to_string(job.runs.size()) + " runs, with attempts left");
    const bool only_refused =
        any_enqueue(job, Outcome::fail) && !acknowledged(job) && !any_enqueue(job, Outcome::info);
    if (only_refused && (!job.runs.empty() || job.stored))
        add(FindingKind::dishonest_failed, job,
            (job.runs.empty() ? "refused, and stored: " : "refused, and run: ") +
                job.calls.front()->text);
}

void Judge::check_known(const OneJob& job) {
    if (!job.spec)
        return add(
            FindingKind::unexpected, job,
            job.runs.empty() ? "stored, and nobody enqueued it" : "run, and nobody enqueued it");
    if (job.spec->checksum.empty()) return;
    for (const auto& run : job.runs)
        if (run.start.checksum != job.spec->checksum)
            return add(FindingKind::damaged, job,
                       "payload " + run.start.checksum + ", enqueued " + job.spec->checksum);
}

void Judge::check_starts(const OneJob& job) {
    if (job.runs.empty() || !job.spec) return;
    const bool dead = job.stored && job.stored->api_state == "dead";
    if (job.spec->poison) {
        if (int(job.runs.size()) > evidence_.bounds.crashes || (evidence_.drained && !dead))
            add(FindingKind::poison_over, job,
                std::to_string(job.runs.size()) + " runs of a job that kills its worker" +
                    (dead ? "" : ", and not dead"));
        return;
    }
    int failed = 0, excused = 0;
    for (const auto& run : job.runs) {
        if (is_excused(evidence_, run))
            ++excused;
        else if (run.end_us && !run.ok)
            ++failed;
    }
    const int allowed = 1 + std::min(failed, job.spec->max_attempts - 1) + excused;
    report_.excused += excused;
    if (int(job.runs.size()) > allowed)
        add(FindingKind::duplicate, job,
            std::to_string(job.runs.size()) + " runs, allowed " + std::to_string(allowed));
}

void Judge::check_overlap(const OneJob& job) {
    for (size_t i = 1; i < job.runs.size(); ++i) {
        const Run& before = job.runs[i - 1];
        const Run& after = job.runs[i];
        if (before.last_us <= after.start.at_us) continue;
        // Who was stopped beyond its lease can't know that it lost it.
        const bool stopped =
            std::any_of(evidence_.faults.begin(), evidence_.faults.end(), [&](const Fault& fault) {
                return fault.kind == Fault::Kind::pause && excuses(fault, before, evidence_);
            });
        if (!stopped)
            add(FindingKind::overlap, job,
                "runs at once for " + std::to_string(before.last_us - after.start.at_us) + " us");
    }
}

void Judge::check_leases(const OneJob& job) {
    const auto& bounds = evidence_.bounds;
    for (const auto& run : job.runs) {
        int64_t end_us = INT64_MAX;
        for (const auto& lease : evidence_.leases)
            if (lease.jid == job.jid && lease.token == run.start.token)
                end_us = std::min(end_us, lease.end_us);
        for (const auto& fault : evidence_.faults) {
            const bool covers = fault.kind == Fault::Kind::cut && hits(fault, run) &&
                                run.start.at_us <= fault.at_us &&
                                run.last_us <= fault.until_us + bounds.lease_slack_us;
            if (covers) end_us = std::min(end_us, fault.at_us + bounds.lease_us);
        }
        const bool stopped =
            std::any_of(evidence_.faults.begin(), evidence_.faults.end(), [&](const Fault& fault) {
                return fault.kind == Fault::Kind::pause && hits(fault, run) &&
                       !fault.holder.empty() && fault.at_us <= run.last_us &&
                       run.start.at_us <= fault.until_us;
            });
        if (end_us != INT64_MAX && !stopped && run.last_us > end_us + bounds.lease_slack_us)
            add(FindingKind::out_of_lease, job,
                "alive " + std::to_string(run.last_us - end_us) + " us after its lease ended");
    }
}

// How far ahead of the true time the daemon's clock has been at any time up to then.
int64_t Judge::most_ahead_us(int64_t until_us) const {
    int64_t most = 0;
    for (const auto& shift : evidence_.clock)
        if (shift.at_us <= until_us) most = std::max(most, shift.offset_us);
    return most;
}

// After the death of who ran it a job runs again soon.
void Judge::check_again(const OneJob& job) {
    for (size_t i = 1; i < job.runs.size(); ++i) {
        const Run& before = job.runs[i - 1];
        if (before.end_us) continue;
        for (const auto& fault : evidence_.faults)
            if (fault.kind == Fault::Kind::kill && excuses(fault, before, evidence_) &&
                job.runs[i].start.at_us > fault.at_us + evidence_.bounds.again_us)
                return add(FindingKind::late, job,
                           "ran again " + std::to_string(job.runs[i].start.at_us - fault.at_us) +
                               " us after its holder was killed");
    }
}

void Judge::check_times(const OneJob& job) {
    if (!job.spec || job.runs.empty()) return;
    const int64_t started = job.runs.front().start.at_us;
    if (job.spec->run_at_us && started + most_ahead_us(started) < job.spec->run_at_us)
        add(FindingKind::early, job,
            std::to_string(job.spec->run_at_us - started) + " us before its time");
    const Call* call = acknowledged(job);
    if (evidence_.bounds.again_us > 0) check_again(job);
    if (!call || evidence_.bounds.late_us == 0) return;
    const int64_t may = std::max({job.spec->run_at_us, call->returned_us, evidence_.healed_us});
    if (started > may + evidence_.bounds.late_us)
        add(FindingKind::late, job, std::to_string(started - may) + " us after it could start");
}

void Judge::check_finishes(const OneJob& job) {
    std::set<std::string> results;
    for (const auto* call : job.calls) {
        if (call->outcome != Outcome::ok) continue;
        if (call->kind == Call::Kind::result) results.insert(call->text);
        if (call->kind != Call::Kind::finish) continue;
        for (const auto& run : job.runs)
            if (run.start.token != call->token && run.start.at_us <= call->invoked_us &&
                std::any_of(job.runs.begin(), job.runs.end(), [&](const Run& own) {
                    return own.start.token == call->token && own.start.at_us < run.start.at_us;
                })) {
                add(FindingKind::stale_accepted, job, "the end of an attempt under an old token");
                break;
            }
    }
    for (const auto& told : job.runs)
        for (const auto& run : job.runs)
            if (told.told && run.start.token != told.start.token &&
                told.start.at_us < run.start.at_us && run.start.at_us <= told.end_us) {
                add(FindingKind::stale_accepted, job,
                    "a report that was sent after the next run began");
                break;
            }
    if (results.size() > 1)
        add(FindingKind::result_changed, job,
            std::to_string(results.size()) + " different results were read");
}

void Judge::check_places(const OneJob& job) {
    if (!job.stored) return;
    const auto& places = job.stored->places;
    std::string list;
    for (const auto& place : places)
        list += (list.empty() ? "" : ", ") + place;
    if (places.size() > 1) return add(FindingKind::two_places, job, "in " + list);
    if (evidence_.drained && (places.empty() || places.front() != job.stored->api_state))
        add(FindingKind::two_places, job,
            "in " + (list.empty() ? "no place" : list) + ", said to be " +
                (job.stored->api_state.empty() ? "unknown" : job.stored->api_state));
}

// One key is one job.
void Judge::check_keys() {
    std::map<std::string, std::string> holders;
    for (const auto& [jid, job] : jobs_) {
        const bool there = !job.runs.empty() || job.stored;
        if (!job.spec || job.spec->key.empty() || !there) continue;
        const auto [at, first] = holders.emplace(job.spec->key, jid);
        if (!first)
            add(FindingKind::duplicate, job, "has the idempotency key of " + at->second + " too");
    }
}

Report Judge::judge() {
    for (const auto& [jid, job] : jobs_) {
        count(job);
        check_end(job);
        check_known(job);
        check_starts(job);
        check_overlap(job);
        check_leases(job);
        check_times(job);
        check_finishes(job);
        check_places(job);
    }
    check_keys();
    if (!evidence_.drained)
        report_.unproven = "it was not drained: something still waits or runs\n";
    const bool nothing = report_.acknowledged == 0 || report_.started == 0;
    if (nothing) report_.unproven += "nothing was acknowledged, or nothing ran\n";
    report_.verdict = !report_.findings.empty()       ? Verdict::fail
                      : !evidence_.drained || nothing ? Verdict::unknown
                                                      : Verdict::pass;
    return std::move(report_);
}

}  // namespace

std::string_view to_string(FindingKind kind) {
    static constexpr std::string_view kNames[] = {
        "lost",           "unexpected",     "damaged",    "duplicate",
        "overlap",        "out_of_lease",   "early",      "late",
        "stale_accepted", "result_changed", "two_places", "dishonest_failed",
        "poison_over",    "survivor",       "ended",      "told_wrong",
        "growth",         "left_over",      "ill"};
    return kNames[size_t(kind)];
}

std::string_view to_string(Verdict verdict) {
    return verdict == Verdict::pass ? "pass" : verdict == Verdict::fail ? "fail" : "unknown";
}

bool Report::has(FindingKind kind) const {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const Finding& finding) { return finding.kind == kind; });
}

Report judge(const Evidence& evidence) {
    return Judge(evidence).judge();
}

}  // namespace jobq::chaos
