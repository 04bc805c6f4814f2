// ControlStore: what people do to jobs and to whole queues. Called for the verbs and routes that
// change what is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/job/state.h"

namespace jobq {

struct Cancelled {
    State was = State::ready;     // running: it was marked, its worker is to be told
    std::string owner;            // of a running one
    std::string type{}, queue{};  // as it was stored
};

class ControlStore {
  public:
    virtual ~ControlStore() = default;

    // A waiting or dead job becomes cancelled; a running one is marked. not_found; conflict when
    // it is over.
    virtual task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) = 0;
    // dead, retrying, scheduled -> ready. `revive`: with its attempts at zero, and ready since now.
    // conflict otherwise.
    virtual task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                        bool revive) = 0;
    // Forgets jobs that wait, are dead or are over. conflict: it runs.
    virtual task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids) = 0;
    // scheduled, retrying -> dead with reason "killed".
    virtual task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids) = 0;
    // Unknown queues are created by pause, skipped by resume.
    virtual task<Result<>> pause(std::vector<std::string> queues, bool paused) = 0;
    // Removes the jobs that were ready when it was called, and with `forget` the queue itself.
    // Returns how many.
    virtual task<Result<int64_t>> clear(std::string queue, bool forget) = 0;
    // Everything, at once.
    virtual task<Result<>> flush() = 0;
};

}  // namespace jobq
