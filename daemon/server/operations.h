// Operations: retry, cancel or remove all jobs that match a filter, in the background, in slices,
// if wanted no faster than a rate. Made by the app; started and looked at by the verbs OPERATE and
// OPERATIONS and by /api/v1/operations.
//
// Must stay true: what one touches was there in that state when it began, and is touched once, so
// what it makes ready and fails anew is not met again (Store::list); a slice is one page of the
// store and one script call, so that the loop and Redis stay free between; only so many run at
// once. They are in memory alone: a stop of jobqd ends them, and what they have done stays done.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "daemon/broker/broker.h"
#include "daemon/server/verbs/job_filter.h"

namespace jobq {

struct OperationOrder {
    enum class Action : uint8_t { retry, cancel, remove };

    Action action = Action::retry;
    State state = State::dead;
    verbs::JobFilter filter;
    std::string filter_json;  // as it was asked for, with the state
    int64_t rate = 0;         // jobs a second; 0: as fast as it goes
    Caller from{};            // who asked for it
};

struct Operation {
    enum class Phase : uint8_t { running, finished, cancelled, failed };

    std::string id;
    OperationOrder order;
    Phase phase = Phase::running;
    int64_t begun_ms = 0, ended_ms = 0;  // wall clock
    int64_t total = -1;                  // jobs in that state when it began; -1: not known
    int64_t looked_at = 0, matched = 0, done = 0;
    int64_t failed = 0;   // they moved on meanwhile, or were refused
    std::string trouble;  // why the last of them was refused, or why it failed
    bool stop_asked = false;
    int64_t told_ms = 0;  // monotonic: the last event about it
};

class Operations {
  public:
    Operations(Reactor& reactor, Broker& broker);

    // busy: too many run. invalid: the action can't be done to jobs in that state.
    Result<std::shared_ptr<const Operation>> start(OperationOrder order);
    // The rest of it is left out. not_found; conflict: it is over.
    Result<std::shared_ptr<const Operation>> cancel(const std::string& id);
    // Null: not known, or forgotten.
    std::shared_ptr<const Operation> find(const std::string& id) const;

    // Running ones and the last that ended, newest first.
    const std::deque<std::shared_ptr<Operation>>& all() const { return all_; }

    static Error no_such(const std::string& id);

    // Ends them all, within a slice.
    task<void> stop();

    static std::string to_json(const Operation& operation);
    static std::optional<OperationOrder::Action> action_from_name(std::string_view name);

  private:
    task<void> run(std::shared_ptr<Operation> operation);
    task<Result<>> run_through(std::shared_ptr<Operation> operation);
    task<Result<>> act_on_all(std::shared_ptr<Operation> operation, std::vector<std::string> jids);
    task<Result<>> act(std::shared_ptr<Operation> operation, std::vector<std::string> jids);
    task<Result<std::vector<Result<>>>> act_once(OperationOrder::Action action, Caller from,
                                                 std::vector<std::string> jids);
    task<void> estimate(std::shared_ptr<Operation> operation);
    // Until `ms` passed, or it is to end.
    task<void> pause(std::shared_ptr<Operation> operation, int64_t ms);
    void tell(Operation& operation);
    void tell_soon(Operation& operation);  // unless that was just done

    Reactor& reactor_;
    Broker& broker_;
    std::deque<std::shared_ptr<Operation>> all_;
    int running_ = 0;
    bool stopping_ = false;
    Signal stop_;
    Gate gate_;
};

}  // namespace jobq
