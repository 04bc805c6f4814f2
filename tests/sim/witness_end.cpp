// Witness: how attempts and jobs end, and the look at everything after the end. See witness.h.
#include <algorithm>

#include "tests/sim/witness.h"

namespace jobq::sim {
namespace {

std::string key_of(const std::string& jid, const std::string& token) {
    return jid + " " + token;
}

bool waits(State state) {
    return state == State::scheduled || state == State::retrying;
}

}  // namespace

void Witness::end(Known& job, Move move) {
    job.live = false;
    job.ended = move;
    job.owner.clear();
    job.token.clear();
    job.lock.clear();
}

size_t Witness::started(const Leased& lease) {
    const std::string& jid = lease.job.jid;
    if (Known* job = known(jid, "a start")) {
        ++job->starts;
        if (job->job.args != lease.job.args)
            world_.violated("S2", jid + " starts with other bytes than were enqueued");
    }
    for (const auto& run : runs_)
        if (run.jid == jid && run.token == lease.token)
            world_.violated("S4", jid + " starts twice under one lease");
    if (world_.tracing) world_.say("start " + jid + " " + lease.token);
    runs_.push_back({jid, lease.token, false});
    return runs_.size() - 1;
}

void Witness::reported(size_t run, Outcome outcome) {
    if (world_.tracing)
        world_.say("end " + runs_[run].jid + " " + runs_[run].token + " " +
                   std::string(name(outcome)));
    runs_[run].over = true;
    reports_[key_of(runs_[run].jid, runs_[run].token)].insert(outcome);
    reports_[key_of(runs_[run].jid, "")].insert(outcome);
}

bool Witness::runs_now(const std::string& jid, const std::string& token) const {
    return std::any_of(runs_.begin(), runs_.end(), [&](const Run& run) {
        return run.jid == jid && run.token == token && !run.over;
    });
}

void Witness::stopped(size_t run) {
    runs_[run].over = true;
}

// S4: the daemon ends a lease as its holder said, or as the lease's own end demands.
void Witness::check_reason(const Finish& finish, const Known& job) {
    Move move = finish.transition.move;
    bool expired = move == Move::drop && finish.final.state == State::expired;
    if (expired) {
        if (job.job.expires_ms == 0 || job.job.expires_ms > world_.latest_wall())
            world_.violated("S4", finish.jid + " expires early");
        return;
    }
    if (move == Move::cancel && job.cancel_asked) return;
    bool by_reaper = finish.owner.rfind("reaper:", 0) == 0;
    if (by_reaper && move != Move::succeed) return;
    if (move == Move::release) {
        if (runs_now(finish.jid, finish.token))
            world_.violated("S4", finish.jid + " is handed back while it runs");
        return;
    }
    auto said = reports_.find(key_of(finish.jid, finish.owner == "faktory" ? "" : finish.token));
    bool good = said != reports_.end();
    if (good && move == Move::succeed) good = said->second.count(Outcome::success) > 0;
    if (good && (move == Move::retry || move == Move::dead || move == Move::drop))
        good = said->second.size() > said->second.count(Outcome::success);
    if (!good)
        world_.violated("S4", finish.jid + " of " + finish.owner + " ends by move " +
                                  std::to_string(int(move)) + ", which nobody reported");
}

void Witness::count_end(const Finish& finish, Known& job) {
    const auto& errors = finish.transition.record.errors;
    bool crash = !errors.empty() && errors.back().outcome == Outcome::crash;
    if (crash) {
        ++job.crashes;
        ++job.lost;
    } else {
        ++job.failures;
    }
}

void Witness::check_finish(const Finish& finish, const Result<>& result) {
    Known* job = known(finish.jid, "a finish");
    if (!job) return;
    bool current = job->live && job->place == State::running && job->owner == finish.owner &&
                   job->token == finish.token;
    if (!result) {
        if (current && result.error().code == ErrorCode::lease_lost)
            world_.violated("S3", finish.jid + ": its holder " + finish.owner + " was refused");
        return;
    }
    if (!current) {
        world_.violated("S3", finish.jid + ": a finish by " + finish.owner +
                                  " with the stale token " + finish.token + " was accepted");
        if (!job->live) return;
    }
    check_reason(finish, *job);
    Move move = finish.transition.move;
    job->owner.clear();
    job->token.clear();
    if (move == Move::succeed || move == Move::cancel || move == Move::drop) {
        if (move == Move::succeed) job->result = finish.final.result;
        return end(*job, move);
    }
    job->cancel_asked = false;
    if (move == Move::release) {
        job->place = State::ready;
        return;
    }
    if (move == Move::retry || move == Move::dead) count_end(finish, *job);
    job->due_ms = finish.transition.at_ms;
    job->place = move == Move::retry    ? State::retrying
                 : move == Move::snooze ? State::scheduled
                                        : State::dead;
    if (move == Move::dead) job->due_ms = 0;
}

task<Result<std::vector<Result<>>>> Witness::finish(std::vector<Finish> batch) {
    auto results = co_await below_.finish(batch);
    for (size_t i = 0; results && i < batch.size(); ++i)
        check_finish(batch[i], (*results)[i]);
    check_places();
    co_return results;
}

size_t Witness::unfinished() const {
    return size_t(std::count_if(jobs_.begin(), jobs_.end(), [](const auto& entry) {
        return entry.second.live && entry.second.place != State::dead;
    }));
}

// S8, and S1 from the other side: what is live is somewhere, and nothing else is.
void Witness::check_places() {
    auto stats = at_once(below_.stats()).value();
    int64_t waiting = 0, ready = 0, running = 0, dead = 0;
    for (const auto& [jid, job] : jobs_) {
        if (!job.live) continue;
        running += job.place == State::running;
        dead += job.place == State::dead;
        waiting += waits(job.place);
        ready += job.place == State::ready;
    }
    // Promotion is the store's own business: waiting and ready count together.
    // Those that are dead for half a year go.
    bool same = running == stats.running && (dead == stats.dead || world_.plan.far_jump) &&
                waiting + ready == stats.ready + stats.scheduled + stats.retrying;
    if (!same)
        world_.violated("S8", "the store has " + std::to_string(stats.running) + " running, " +
                                  std::to_string(stats.dead) + " dead, " +
                                  std::to_string(stats.ready + stats.scheduled + stats.retrying) +
                                  " waiting; there ought to be " + std::to_string(running) + ", " +
                                  std::to_string(dead) + ", " + std::to_string(waiting + ready));
}

void Witness::check_record(const Known& job) {
    std::vector<std::string> jids{job.job.jid};
    auto view = at_once(below_.get(jids)).value().front();
    const std::string& jid = job.job.jid;
    if (job.live) {
        bool there = view && view->state == State::dead;
        if (!there && !world_.plan.far_jump)
            world_.violated("S1", jid + " is dead but its place is empty");
        return;
    }
    bool no_record = job.ended == Move::drop && (!view || view->state != State::expired);
    if (no_record || world_.plan.far_jump) return;  // records may be over, or there is none
    if (!view) return world_.violated("S1", jid + " is over and has no record");
    if (!is_final(view->state)) return world_.violated("S8", jid + " is over and live");
    if (job.ended == Move::succeed && view->final.result != job.result)
        world_.violated("S12", jid + " has another result than the one that was accepted first");
}

void Witness::check_end() {
    for (const auto& [jid, job] : jobs_) {
        if (job.acknowledged && job.stored == 0)
            world_.violated("S1", "the acknowledged job " + jid + " was never stored");
        if (job.stored == 0) continue;
        if (!job.live || job.place == State::dead) {
            check_record(job);
            continue;
        }
        std::vector<std::string> one{jid};
        bool there = at_once(below_.get(one)).value().front().has_value();
        world_.violated(there ? "L1" : "S1",
                        jid + (there ? " is not over: it is " : " is lost: it was ") +
                            std::string(name(job.place)) +
                            (job.owner.empty() ? "" : " by " + job.owner));
    }
    check_places();
}

}  // namespace jobq::sim
