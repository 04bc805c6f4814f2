#include "daemon/broker/broker.h"

#include <utility>

namespace jobq {
namespace {

std::vector<JobObserver*> all_of(std::vector<JobObserver*> first,
                                 std::initializer_list<JobObserver*> more) {
    first.insert(first.end(), more);
    return first;
}

}  // namespace

Broker::Broker(Reactor& reactor, Store& store, Events& events, Workers& workers,
               std::shared_ptr<const Config> config, BrokerOutside outside)
    : reactor_(reactor),
      store_(store),
      events_(events),
      workers_(workers),
      storage_(outside.storage),
      traces_(outside.traces),
      config_(std::move(config)),
      job_events_(reactor, events),
      job_log_(traces_),
      journal_(all_of(std::move(outside.observers), {&totals_, &job_events_, &job_log_})),
      watchers_(reactor),
      followers_(reactor),
      output_files_(std::move(outside.output_dir)),
      wakeups_(reactor),
      news_(reactor, config_, ids_),
      attempts_(reactor, store, config_, traces_, news_, running_, recent_, wakeups_, watchers_,
                journal_),
      kept_ends_(reactor, attempts_, running_),
      returns_(reactor, store, names_, running_, attempts_),
      holders_(reactor, store, config_, workers, running_),
      leases_(reactor, store, workers, config_, names_, running_, recent_, wakeups_, journal_,
              attempts_, kept_ends_, holders_),
      dispatch_(reactor, store, workers, config_, names_, std::move(outside.handler_known), news_,
                running_, wakeups_, watchers_, journal_, returns_),
      intake_(reactor, store, config_, storage_, recent_, wakeups_, journal_),
      control_(store, workers, config_, running_, wakeups_, watchers_, journal_, kept_ends_,
               holders_, leases_),
      hints_(store, wakeups_, watchers_, control_) {}

}  // namespace jobq
