// Holders: whether who holds a running job is there, as far as it is known here.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/async/task.h"
#include "core/store/store.h"
#include "daemon/broker/current_config.h"
#include "daemon/broker/running_table.h"
#include "daemon/broker/worker.h"

namespace jobq {

// unknown: jobqd was started since, or it is another daemon's.
enum class Holder : uint8_t { there, gone, unknown };

class Holders {
  public:
    Holders(Reactor& reactor, Store& store, const CurrentConfig& config, const Workers& workers,
            const RunningTable& running);

    Holder of(const Running& running) const;
    // Nothing when it does not run here.
    std::optional<Holder> of(const std::string& jid) const;
    // What to do about a running job whose holder is not known to be there; "" nothing.
    std::string advice(const std::string& jid) const;
    // An error of what can't be done to a running job, with that advice.
    Error with_advice(Error error, const std::string& jid) const;
    // Of the Faktory workers, the wids of those that hold jobs given out here.
    std::set<std::string> wids_with_jobs() const;

    // Under which name who holds it beats in the store; "" none is known.
    std::string beat_name_of(const JobView& view) const;
    // The names of owners that beat in a store which several daemons share; none in one of our own.
    // Nothing: it can't be told now.
    task<std::optional<std::set<std::string>>> beaten_names();
    // Of these owners, which nobody here knows, those whose beat goes on: a jobqd elsewhere has
    // them.
    task<std::set<std::string>> beating_elsewhere(std::set<std::string> owners);

  private:
    Reactor& reactor_;
    Store& store_;
    const CurrentConfig& config_;
    const Workers& workers_;
    const RunningTable& running_;
};

}  // namespace jobq
