// Workers: who runs jobs, by wid. A pool of this daemon, a runner, `jobq work`, a Faktory worker.
// Kept in memory only: a worker that comes back after a restart says HELLO again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/wait.h"
#include "core/protocol/runner_messages.h"

namespace jobq {

enum class WorkerKind : uint8_t { pool, runner, remote, faktory };

std::string_view name(WorkerKind kind);
std::string_view name(WorkerState state);

struct Worker {
    explicit Worker(Reactor& reactor) : notice(reactor) {}

    std::string wid, owner, hostname;
    WorkerKind kind = WorkerKind::faktory;
    WorkerState state = WorkerState::running;
    WorkerState told = WorkerState::running;  // what its last HEARTBEAT answer said
    std::vector<std::string> labels;
    int64_t pid = 0, rss_kb = 0, slots = 0;
    int64_t connected_wall_ms = 0;
    int64_t beat_ms = 0;  // monotonic, of its last sign of life
    int connections = 0;
    int64_t process = 0;  // of a local one: the pid that is watched
    bool gone = false;    // its process is known dead
    // Of its jobs those to be cancelled: in each answer to its HEARTBEAT until they are over, as
    // one answer may be lost, or come before the answer that gave it the job. And which it was told
    // of: true once it had named the job, so that it knew which is meant.
    std::vector<std::string> cancel;
    std::map<std::string, bool> cancel_told;
    std::string config_version;  // that it was told of
    Signal notice;
    // Closes its connections: a worker that beats no more is cut off.
    std::map<uint64_t, std::function<void()>> closers;

    // Nobody is connected as it: it may come back, while it is awaited.
    bool is_gone() const { return kind != WorkerKind::pool && (gone || connections == 0); }
};

class Workers {
  public:
    explicit Workers(Reactor& reactor) : reactor_(reactor) {}

    // The worker of that wid; made when there is none.
    std::shared_ptr<Worker> meet(const std::string& wid);
    std::shared_ptr<Worker> find(const std::string& wid) const;
    std::shared_ptr<Worker> by_owner(const std::string& owner) const;
    void forget(const std::string& wid);
    // Unless another has the wid by now.
    void forget(const std::shared_ptr<Worker>& worker);
    // In the place of `worker`, which is cut off: one of that wid without connections.
    std::shared_ptr<Worker> leave_behind(const Worker& worker);
    std::vector<std::shared_ptr<Worker>> all() const;

    size_t size() const { return workers_.size(); }

  private:
    Reactor& reactor_;
    std::map<std::string, std::shared_ptr<Worker>> workers_;
};

}  // namespace jobq
