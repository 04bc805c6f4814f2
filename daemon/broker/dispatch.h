// Dispatch: jobs out of the store to those who run them: fetchers wait here until there is one that
// may run.
//
// Must stay true: what is handed out is in the RunningTable; who was woken for a job and does not
// take it has passed that on; what was taken for somebody who has gone is handed back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/async/task.h"
#include "core/job/type_set.h"
#include "core/store/store.h"
#include "daemon/broker/returns.h"
#include "daemon/broker/worker.h"

namespace jobq {

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

// Whether a pool of this daemon runs jobs of that type from that queue.
using HandlerKnown = std::function<bool(const std::string& type, const std::string& queue)>;

class Dispatch {
  public:
    Dispatch(Reactor& reactor, Store& store, const Workers& workers, const CurrentConfig& config,
             const OwnerNames& names, HandlerKnown handler_known, WebhookNews& news,
             RunningTable& running, Wakeups& wakeups, Watchers& watchers, Journal& journal,
             Returns& returns);

    // Waits up to order.wait_ms for the first. Whoever is interrupted gets an empty answer, and
    // what was just taken for it is handed back.
    task<Result<std::vector<Leased>>> fetch(FetchOrder order,
                                            std::shared_ptr<Waiters::Ticket> ticket);
    // A job that was taken ahead starts now: for those whose order tells_starts.
    void started(const std::string& jid, const std::string& token, int64_t now_ms);
    // Moves what is due; called by the promoter.
    task<Result<Promoted>> promote();
    // "" when a pool here runs jobs of that type from that queue, or a worker that may is
    // connected.
    std::string why_no_handler(const std::string& type, const std::string& queue) const;

    // For the watchdog: how many jobs of a queue were taken by whom it woke, since the counting
    // began, of those that were ready before `ready_before_ms` (wall clock); 0 ends the counting.
    void count_taken(int64_t ready_before_ms) {
        count_before_ms_ = ready_before_ms;
        taken_.clear();
    }

    int taken_from(const std::string& queue) { return taken_[queue]; }

  private:
    FetchRequest request_of(const FetchOrder& order);
    // The configured limits of the queues it asks.
    void add_throttles(FetchRequest& request, const std::string& worker) const;

    // A job that ends without a run. why: why it is dead; "": it has expired.
    struct Unstarted {
        Leased lease;
        std::string why, reason{};
    };

    // Ends what must not start: past its expiry, damaged, or forbidden.
    task<std::vector<Leased>> keep_runnable(std::vector<Leased> leases, std::string owner);
    Finish drop(const Unstarted& one, const std::string& owner);
    Finish bury(Unstarted& one, const std::string& owner);
    task<void> end_unstarted(std::vector<Unstarted> jobs, std::string owner);
    void report_unstarted(const Unstarted& one);
    void note_running(const Leased& lease, const FetchOrder& order);
    void announce_start(const Running& running, int64_t now_ms);
    void count_alarmed(const std::vector<Leased>& leases);

    Reactor& reactor_;
    Store& store_;
    const Workers& workers_;
    const CurrentConfig& config_;
    const OwnerNames& names_;
    const HandlerKnown handler_known_;
    WebhookNews& news_;
    RunningTable& running_;
    Wakeups& wakeups_;
    Watchers& watchers_;
    Journal& journal_;
    Returns& returns_;
    uint64_t fetches_ = 0;
    int64_t count_before_ms_ = 0;
    std::unordered_map<std::string, int> taken_;
};

}  // namespace jobq
