// Witness: stands between all daemons and the store, writes down what happened to each job, and
// checks each answer of the store, and each thing the daemons ask of it, against that. It keeps its
// own books: it believes neither the store nor the daemons.
//
//   S1 nothing acknowledged is lost     S2 nothing is invented or changed
//   S3 one owner; a stale finish changes nothing
//   S4 a lease ends by a report of its holder, or because the holder is dead, silent or never heard
//      of it: so a job starts once more only for a reason
//   S5 never early     S6 attempts and crashes within their budgets     S7 keys and locks
//   S8 one place       S11 a cancelled job never starts                 S12 the first result stays
//   T1 a worker gets jobs of the types that it runs, and no others (see Daemon::pool_fetcher)
#pragma once

#include <map>
#include <set>

#include "core/job/decide.h"
#include "tests/sim/relay_store.h"
#include "tests/sim/world.h"

namespace jobq::sim {

// One job, as it ought to be.
struct Known {
    Job job;  // as clients try to enqueue it
    bool acknowledged = false;
    int stored = 0;  // how often it came to life
    bool live = false;
    State place = State::ready;
    std::string owner, token;  // of a running one
    int64_t leased_ms = 0, leased_wall_ms = 0;
    int64_t due_ms = 0;  // wall clock
    int failures = 0, crashes = 0, lost = 0;
    bool cancel_asked = false;
    std::string lock;  // held
    int64_t lock_until_ms = 0;
    Move ended = Move::succeed;  // of one that is over
    std::optional<std::string> result;
    int starts = 0;
};

// A run at a worker: from its start to its report.
struct Run {
    std::string jid, token;
    bool over = false;  // reported, killed or given up
};

class Witness final : public RelayStore {
  public:
    Witness(World& world, Store& below) : RelayStore(below), world_(world) {}

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override;
    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override;
    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override;
    task<Result<>> beat(std::vector<std::string> owners) override;
    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override;
    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) override;
    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                bool revive) override;

    // Clients: what they try, and what was said to them.
    void tried(const Job& job);
    void acknowledged(const Job& job, const Enqueued& enqueued);
    // Workers: one started, reported, was killed.
    size_t started(const Leased& lease);
    void reported(size_t run, Outcome outcome);
    void stopped(size_t run);

    // A process died; a daemon heard of a worker.
    void died(const std::string& owner_part) { dead_.insert(owner_part); }

    void heard(const std::string& owner);

    // Jobs that are live and not dead.
    size_t unfinished() const;
    // With the store at rest and everything drained.
    void check_end();
    // How many jobs are where, against the store's own figures.
    void check_places();

    const std::map<std::string, Known>& jobs() const { return jobs_; }

  private:
    struct Silence {
        int64_t heard_ms = 0;
        int64_t broken_ms = -1'000'000;  // when a silence of a lease's length ended
    };

    Known* known(const std::string& jid, const char* what);
    void check_stored(const Job& job, const Enqueued& enqueued);
    void check_lease(Known& job, const Leased& lease);
    void check_finish(const Finish& finish, const Result<>& result);
    void check_reason(const Finish& finish, const Known& job);
    void count_end(const Finish& finish, Known& job);
    void end(Known& job, Move move);
    bool may_take(const std::string& from, const Known& job) const;
    bool runs_now(const std::string& jid, const std::string& token) const;
    bool is_dead(const std::string& owner) const;
    bool was_silent(const std::map<std::string, Silence>& book, const std::string& owner) const;
    bool silent(const std::string& owner) const;
    void hear(Silence& silence);
    void check_record(const Known& job);

    World& world_;
    std::map<std::string, Known> jobs_;
    std::map<std::string, std::string> keys_;  // idempotency key -> jid
    std::map<std::string, Silence> heard_, beats_;
    std::set<std::string> dead_;
    std::map<std::string, std::set<Outcome>> reports_;  // by jid and token
    std::vector<Run> runs_;
};

}  // namespace jobq::sim
