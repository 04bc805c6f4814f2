// What sessions and the HTTP API ask of parts of the daemon that stand above them: small
// interfaces, which those parts implement (daemon/app).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/async/task.h"
#include "core/store/storage_gate.h"
#include "daemon/broker/worker.h"

namespace jobq {

// The Redis below the store.
class RedisView {
  public:
    virtual ~RedisView() = default;
    // For people: "ready", "down: ...".
    virtual std::string state_text() const = 0;
    virtual StorageStatus storage() const = 0;
};

// The runner that this daemon starts.
class RunnerView {
  public:
    virtual ~RunnerView() = default;
    // "": there is none.
    virtual std::string wid() = 0;
    // It is of another build, and is to end once it runs nothing.
    virtual bool is_outdated() const = 0;
};

// The end of a local worker's process is noticed at once.
class ProcessWatch {
  public:
    virtual ~ProcessWatch() = default;
    virtual void watch(const std::shared_ptr<Worker>& worker, int64_t pid) = 0;
};

// Prometheus's text.
class MetricsText {
  public:
    virtual ~MetricsText() = default;
    virtual task<std::string> text() = 0;
};

}  // namespace jobq
