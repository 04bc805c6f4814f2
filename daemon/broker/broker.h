// Broker: what jobqd does with jobs. Pools of this process, Faktory workers, runners, the JOBQ
// verbs and HTTP all go through these same parts; below them is the Store, above them parsing and
// replies. What is in memory here is a cache of the store's truth.
//
//   HintRouter --> JobControl --> Leases --+--> KeptEnds --+       other daemons; people; owners
//                                          +--> Holders    |
//   Dispatch --------------------------------> Returns ----+--> Attempts       out of the store
//   Intake                                                                     into the store
//
//   and all of them see what is below: RunningTable (what runs where), Wakeups (who waits for
//   jobs), Watchers (who waits for news of a job), Journal (metrics, traces, events, log),
//   CurrentConfig.
//
// Must stay true: nobody calls upwards in this picture; each part is made from those it knows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/store/storage_gate.h"
#include "daemon/broker/attempts.h"
#include "daemon/broker/dispatch.h"
#include "daemon/broker/followers.h"
#include "daemon/broker/hint_router.h"
#include "daemon/broker/intake.h"
#include "daemon/broker/job_control.h"
#include "daemon/broker/output_files.h"
#include "daemon/broker/unwatched_storage.h"
#include "daemon/observe/events.h"
#include "daemon/observe/job_events.h"
#include "daemon/observe/job_log.h"
#include "daemon/observe/job_totals.h"

namespace jobq {

// What the broker uses of the rest of the daemon. By default: nothing.
struct BrokerOutside {
    const StorageGate& storage = UnwatchedStorage::only();
    const TraceNames& traces = no_traces();
    std::string output_dir{};               // for long output; "": none is kept
    std::vector<JobObserver*> observers{};  // beside events, the log and the totals
    HandlerKnown handler_known = [](const std::string&, const std::string&) { return false; };
};

// Its parts, in the order in which they are made.
class Broker {
  public:
    Broker(Reactor& reactor, Store& store, Events& events, Workers& workers,
           std::shared_ptr<const Config> config, BrokerOutside outside = {});

    Intake& intake() { return intake_; }

    Dispatch& dispatch() { return dispatch_; }

    Attempts& attempts() { return attempts_; }

    // For those who report an end once only.
    KeptEnds& kept_ends() { return kept_ends_; }

    Returns& returns() { return returns_; }

    Holders& holders() { return holders_; }

    Leases& leases() { return leases_; }

    JobControl& control() { return control_; }

    HintRouter& hints() { return hints_; }

    RunningTable& running() { return running_; }

    Watchers& watchers() { return watchers_; }

    Followers& followers() { return followers_; }

    OutputFiles& output_files() { return output_files_; }

    Wakeups& wakeups() { return wakeups_; }

    Waiters& waiters() { return wakeups_.waiters; }

    Workers& workers() { return workers_; }

    Events& events() { return events_; }

    Store& store() { return store_; }

    Reactor& reactor() { return reactor_; }

    const StorageGate& storage() const { return storage_; }

    const TraceNames& traces() const { return traces_; }

    const JobTotals& totals() const { return totals_; }

    const OwnerNames& names() const { return names_; }

    const CurrentConfig& current() const { return config_; }

    const Config& config() const { return *config_; }

    void set_config(std::shared_ptr<const Config> config) { config_.set(std::move(config)); }

    std::string new_jid() { return ids_.next(reactor_.wall_ms()); }

  private:
    Reactor& reactor_;
    Store& store_;
    Events& events_;
    Workers& workers_;
    const StorageGate& storage_;
    const TraceNames& traces_;
    CurrentConfig config_;
    OwnerNames names_;
    IdMaker ids_;
    JobTotals totals_;
    JobEvents job_events_;
    JobLog job_log_;
    Journal journal_;
    Watchers watchers_;
    Followers followers_;
    OutputFiles output_files_;
    RunningTable running_;
    RecentJids recent_;
    Wakeups wakeups_;
    WebhookNews news_;
    Attempts attempts_;
    KeptEnds kept_ends_;
    Returns returns_;
    Holders holders_;
    Leases leases_;
    Dispatch dispatch_;
    Intake intake_;
    JobControl control_;
    HintRouter hints_;
};

}  // namespace jobq
