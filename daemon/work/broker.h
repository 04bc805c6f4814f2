// Broker: the actions of jobqd. Pools of this process, Faktory workers, runners, the JOBQ verbs and
// later HTTP all go through these same functions; below them is the Store, above them parsing and
// replies. What is in memory here is a cache of the store's truth: who waits for what, what runs
// where with which live output, who wants to know when a job ends.
//
// broker.cpp: enqueue and fetch. endings.cpp: what becomes of attempts. leases.cpp: owners that
// come, go and die. holders.cpp: whether who holds a job is there. by_hand.cpp: what people ask
// for. bring_in.cpp: imports. webhooks.cpp: the webhooks that report ends. kept_ends.h: ends that
// are offered again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/async/gate.h"
#include "core/async/reactor.h"
#include "core/base/id.h"
#include "core/config/config.h"
#include "core/job/job_trace.h"
#include "core/job/type_set.h"
#include "core/store/storage_gate.h"
#include "core/store/store.h"
#include "daemon/observe/events.h"
#include "daemon/observe/job_metrics.h"
#include "daemon/observe/log.h"
#include "daemon/observe/tracer.h"
#include "daemon/work/intake.h"
#include "daemon/work/kept_ends.h"
#include "daemon/work/live_output.h"
#include "daemon/work/recent_jids.h"
#include "daemon/work/waiters.h"
#include "daemon/work/worker.h"

namespace jobq {

// A client's connection, of whom nothing else is known.
struct Connection {
    bool known = false;
    std::weak_ptr<const void> open{};  // until it closes
};

// Of a running job: whether who holds its lease is connected. unknown: jobqd was started since, or
// it is another daemon's.
enum class Holder : uint8_t { there, gone, unknown };

// A job that runs under a lease this daemon knows of.
struct Running {
    uint64_t serial = 0;   // of the lease, in this process
    Job job;               // its head
    uint32_t content = 0;  // content_of() the whole
    JobRecord record;
    std::string owner, token;
    std::string worker;     // who runs it, for people: a wid or a pool's name
    Connection connection;  // of who took it without a wid
    int64_t started_wall_ms = 0;
    int64_t lease_ends_ms = 0;  // monotonic; 0: the owner's own lease counts
    bool cancel_asked = false;
    int missed_beats = 0;  // heartbeats of its owner in a row that did not name it
    bool flushed = false;  // a FLUSH dropped it while it ran
    std::shared_ptr<LiveOutput> out, err;
};

class Broker;

struct FetchOrder {
    std::string owner, worker;
    Connection connection{};  // of a plain Faktory worker without a wid
    std::vector<std::string> queues;
    int count = 1;
    Types types;                         // that this worker runs
    std::function<Types()> types_now{};  // asked before each look, when they may change meanwhile
    int64_t wait_ms = 0;
    bool lease_per_job = false;     // a plain Faktory worker: reserve_for counts
    bool tells_starts = false;      // it takes ahead, and says started() of each when it is
    std::function<bool()> allowed;  // asked before each look: a quiet worker takes nothing more
};

// An ended attempt. An empty token: whoever has it reserved now (Faktory's ACK and FAIL carry
// none).
struct Ended {
    std::string jid, owner, token;
    RunReport report;
};

// Some jobs, and which of them may have changed since it was last asked. Hints to look again,
// nothing more.
class JobWatch {
  public:
    JobWatch(Broker& broker, std::vector<std::string> jids);
    ~JobWatch();
    JobWatch(const JobWatch&) = delete;

    // Until one changes, or the limit.
    task<void> wait(int64_t limit_ms);

    std::set<std::string> take_changed() { return std::exchange(changed_, {}); }

  private:
    friend class Broker;
    Broker& broker_;
    std::vector<std::string> jids_;
    std::set<std::string> changed_;
    Signal signal_;
};

class Broker {
  public:
    Broker(Reactor& reactor, Store& store, Events& events, Workers& workers,
           std::shared_ptr<const Config> config);

    // One result per job, in order; wakes those who wait for them.
    task<std::vector<Result<Enqueued>>> enqueue(std::vector<Job> jobs, Caller from);
    // Nothing, or why it may not come in: see intake.h. enqueue() asks for itself.
    std::optional<Error> enqueue_refusal(const Job& job, const Caller& caller) const;

    // From now on no job comes in: jobqd is shutting down.
    void close_intake() { intake_closed_ = true; }

    // Jobs of another store, with their past.
    task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs);
    // Waits up to order.wait_ms for the first. Whoever is interrupted gets an empty answer, and
    // what was just taken for it is handed back.
    task<Result<std::vector<Leased>>> fetch(FetchOrder order,
                                            std::shared_ptr<Waiters::Ticket> ticket);
    task<std::vector<Result<>>> finish(std::vector<Ended> batch);

    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids);
    // Commands that this caller may not have run are left alone: forbidden.
    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids, bool revive,
                                                Caller from);
    // Ends the leases of running jobs by hand, as if their holders had died: they run again, or end
    // when a cancel is on record. conflict: it does not run, or its holder is there.
    task<Result<std::vector<Result<>>>> release(std::vector<std::string> jids, Caller from);
    // Jobs that are to be cancelled, of Faktory workers that are gone: nobody would report their
    // end.
    task<void> end_cancelled_of_gone();
    // What this Faktory worker holds goes back to its queue: it is dead.
    task<void> release_held_by(std::string wid, std::string why);
    // Nothing when it does not run here.
    std::optional<Holder> holder_of(const std::string& jid) const;
    // What to do about a running job whose holder is not known to be there; "" nothing.
    std::string advice_on_holder(const std::string& jid) const;
    // An error of what can't be done to a running job, with that advice.
    Error with_advice(Error error, const std::string& jid) const;
    // Of the Faktory workers, the wids of those that hold jobs given out here.
    std::set<std::string> wids_with_jobs() const;
    // The names of owners that beat in a store which several daemons share; none in one of our own.
    // Nothing: it can't be told now.
    task<std::optional<std::set<std::string>>> beaten_names();
    // That of a Faktory worker.
    static std::string beat_name(const std::string& wid);
    task<Result<>> pause(std::vector<std::string> queues, bool paused);
    // Drops every job. Queues stay known and paused ones paused, as Faktory has it.
    task<Result<>> flush();

    // Moves what is due; called by the promoter.
    task<Result<Promoted>> promote();

    // Called with the wall time of a job that becomes due then.
    void on_due(std::function<void(int64_t)> fn) { on_due_ = std::move(fn); }

    // Called when a job may have become ready, or a slot free.
    void on_stir(std::function<void()> fn) { on_stir_ = std::move(fn); }

    void stir() {
        if (on_stir_) on_stir_();
    }

    // For the watchdog: how many jobs of a queue were taken by whom it woke, since the counting
    // began, of those that were ready before `ready_before_ms` (wall clock); 0 ends the counting.
    void count_taken(int64_t ready_before_ms) {
        count_before_ms_ = ready_before_ms;
        taken_.clear();
    }

    int taken_from(const std::string& queue) { return taken_[queue]; }

    // A hint of another daemon, "<queue> <jobs> <type>": they are ready there. Without type and
    // number: something is; "": the schedule has. Or what befell jobs, see kJobHint.
    void hinted(const std::string& hint);
    // Cancels that are on record for what runs here, should no word of them have come.
    task<void> look_for_cancels();

    // After the store opened: what earlier processes left behind. When the store fails meanwhile it
    // is done again by settle_rest().
    task<void> recover();
    // Takes what the owner holds away from it: its process is dead, or its lease is over.
    task<int> reap(std::string owner, std::string why);
    // Jobs that fetches took whose answers were lost with the link: handed back. Repeated for a
    // while, as a command that was sent may be carried out late.
    task<void> recall_lost_fetches();

    bool has_lost_fetches() const { return !lost_fetches_.empty(); }

    // Owners whose jobs were to be taken away while the store gave no answer: once more.
    task<void> settle_rest();

    bool has_rest() const { return !unsettled_.empty() || !recovered_ || look_again_ms_ != 0; }

    // Like finish(), repeated until the store gave a final answer, or `give_up` says so.
    task<std::vector<Result<>>> finish_surely(std::vector<Ended> batch,
                                              std::function<bool()> give_up);
    // Jobs leased one by one whose time is over.
    task<void> expire_leases();
    // A worker says what it runs: known leases are its own again, the others are returned.
    task<std::vector<std::string>> adopt(std::string owner, std::string worker,
                                         std::vector<std::pair<std::string, std::string>> held);
    // After a heartbeat: jobs the owner was given but never names, as the answer that gave them was
    // lost with its connection, are handed back.
    task<void> hand_back_unheard(std::string owner, std::vector<std::string> named);
    // All that the owner holds, without a spent attempt: it ends in order.
    task<void> hand_back_all(std::string owner);
    // Later by TRACK; true when the job is leased one by one.
    bool extend_lease(const std::string& jid, int64_t until_wall_ms);

    // Until the job ends, fails or dies, or the limit: a hint to look again, nothing more.
    task<void> wait_for_change(std::string jid, int64_t limit_ms);
    // A job that was taken ahead starts now: for those whose order tells_starts.
    void started(const std::string& jid, const std::string& token, int64_t now_ms);
    Running* running(const std::string& jid);

    const std::unordered_map<std::string, Running>& all_running() const { return running_; }

    std::shared_ptr<LiveOutput> live_output(const std::string& jid, bool is_stdout);
    // "" when a pool here runs jobs of that type from that queue, or a worker that may is
    // connected.
    std::string why_no_handler(const std::string& type, const std::string& queue) const;

    void set_config(std::shared_ptr<const Config> config) { config_ = std::move(config); }

    const Config& config() const { return *config_; }

    Store& store() { return store_; }

    // Null in tests: nothing is known of it.
    void set_storage(const StorageGate* storage) { storage_ = storage; }

    const StorageGate* storage() const { return storage_; }

    // Null in tests: nothing is counted.
    void set_metrics(JobMetrics* metrics) { metrics_ = metrics; }

    // Null: traces are off.
    void set_tracer(Tracer* tracer) { tracer_ = tracer; }

    // What the attempt is told of its trace, "" when there is none.
    std::string traceparent_of(const Leased& lease) const {
        if (!tracer_) return lease.job.traceparent;
        return tracer_->traceparent_of(lease.job, lease.record, lease.started_ms);
    }

    // For lines of the log about the job; nothing when it has no trace.
    LogValue trace_id_of(const Job& job) const {
        if (tracer_) return log_unless_empty(tracer_->trace_id_of(job));
        auto given = given_trace(job);
        return given ? LogValue(hex(given->trace)) : LogValue();
    }

    // For those who report an end once only.
    KeptEnds& kept_ends() { return kept_ends_; }

    Reactor& reactor() { return reactor_; }

    Waiters& waiters() { return waiters_; }

    Workers& workers() { return workers_; }

    Events& events() { return events_; }

    std::string new_jid() { return ids_.next(reactor_.wall_ms()); }

    const TypePolicy& policy_of(const std::string& type) const;

    // Whether it is the name of a daemon's own pool or reaper; they carry its epoch.
    static bool is_process(const std::string& owner);

    // Owners of this process carry its epoch, so that a successor knows them as dead.
    const std::string& epoch() const { return epoch_; }

    void set_handler_known(std::function<bool(const std::string&, const std::string&)> fn) {
        handler_known_ = std::move(fn);
    }

    struct Rates {
        int64_t enqueued = 0, finished = 0;
    };

    Rates counted;  // since the start, for stats

  private:
    friend class JobWatch;

    // What a finish() needs to know again when the store has answered.
    struct Planned {
        size_t index;
        Move move;
        int64_t at_ms;
        int attempt;
        std::string reason, queue;
        uint64_t serial;  // of the lease that was ended; 0: not the present one
        std::shared_ptr<const Job> follow{};
    };

    // The answer to an enqueue that the store need not be asked about.
    std::optional<Result<Enqueued>> settled(const Job& job, const Caller& caller) const;
    task<std::vector<Result<Enqueued>>> enqueue_able(std::vector<Job> jobs);
    // Marks those whose jids may have been used, for the store to look.
    void note_recent(std::vector<Job>& jobs);
    void note_running(const Leased& lease, const FetchOrder& order);
    // The configured limits of the queues it asks.
    void add_throttles(FetchRequest& request, const std::string& worker) const;
    // After a start: what TRACK said before of leases that go job by job.
    task<void> restore_leases(std::vector<std::string> jids);
    void count_alarmed(const std::vector<Leased>& leases);
    // Jobs of these queues and types became ready.
    using Counts = std::map<std::pair<std::string, std::string>, int>;
    void notify(const Counts& ready);
    void announce_start(const Running& running, int64_t now_ms);
    void note_event(std::string_view event, const Job& job,
                    std::initializer_list<std::pair<std::string_view, std::string>> more);
    task<std::vector<Leased>> keep_runnable(std::vector<Leased> leases, std::string owner);
    void bury(const Leased& lease, Finish& finish, const std::string& why);
    // False: some have no answer of the store. They are looked for later.
    task<bool> hand_back(std::vector<Leased> leases, std::string owner);
    // News of an end for the webhook of the job or of its type; null when there is none.
    std::shared_ptr<const Job> news_of(std::string_view event, const Job& job,
                                       const RunReport& report, const Transition& next);
    Finish plan(const Ended& ended, const Running& running, const RunReport& report);
    task<Result<>> find_running(Ended ended);
    // A lease that this process did not give out.
    void note_found(JobView view, const std::string& worker);
    void wake_after(const Planned& next);
    void ended(const Ended& what, const Planned& next, const Running& running);
    task<void> finish_cancelled(std::vector<Ended> batch, std::vector<size_t> which,
                                std::vector<Result<>>* results);
    task<void> settle_lost(std::vector<Leased> leases, std::string owner, std::string why);
    // Takes these from `from` and settles them as lost; the jids it had.
    task<Result<std::set<std::string>>> take_away(std::string from, std::vector<LeaseName> some,
                                                  std::string why);
    Holder holder_of(const Running& running) const;
    task<Result<std::map<size_t, Error>>> refused_commands(std::vector<std::string> jids,
                                                           Caller from);
    std::string name_of_holder(const JobView& view) const;
    std::optional<Error> why_held(const JobView& view, const std::set<std::string>& beating) const;
    task<std::set<std::string>> beating_elsewhere(std::set<std::string> owners);
    // Under which name jobs of `from` are taken away: another than its own.
    std::string reaper_of(const std::string& from) const;
    // What the fetch with this token took, and what is not known to have ended, is handed back; of
    // one whose answer is known just the job `jid`, as others of it may run.
    void look_for_lost(const std::string& token, const std::string& jid = {});
    // Jobs may have become ready or due by a call with this error; nobody was told.
    void note_unknown(const Error& error);
    bool is_lost(const JobView& view) const;
    void changed(const std::string& jid);
    void tell_cancel(const std::string& jid, const std::string& owner);

    Reactor& reactor_;
    Store& store_;
    Events& events_;
    Workers& workers_;
    std::shared_ptr<const Config> config_;
    const StorageGate* storage_ = nullptr;
    JobMetrics* metrics_ = nullptr;
    Tracer* tracer_ = nullptr;
    Waiters waiters_;
    RecentJids recent_;
    IdMaker ids_;
    Rng rng_;
    std::string epoch_;
    uint64_t fetches_ = 0, serials_ = 0;
    bool intake_closed_ = false;
    // Token, or token and jid -> when to stop looking (monotonic).
    std::map<std::pair<std::string, std::string>, int64_t> lost_fetches_;
    // Before `until`, what a killed process sent to a Redis that was not its own may still be done.
    bool recovered_ = true;
    int64_t recover_at_ms_ = 0, recover_until_ms_ = 0;
    int64_t look_again_ms_ = 0;  // a call whose answer was lost is done by then, or never
    std::set<std::string> unsettled_;
    KeptEnds kept_ends_;
    std::unordered_map<std::string, Running> running_;
    std::unordered_map<std::string, std::vector<JobWatch*>> watched_;
    std::function<void(int64_t)> on_due_;
    std::function<void()> on_stir_;
    int64_t count_before_ms_ = 0;
    std::unordered_map<std::string, int> taken_;
    std::function<bool(const std::string&, const std::string&)> handler_known_;  // type, queue
};

}  // namespace jobq
