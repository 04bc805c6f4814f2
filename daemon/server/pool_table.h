// PoolTable: the configured pools of jobqd as they are now: what they run, and how busy they are.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/job/type_set.h"
#include "daemon/broker/broker.h"

namespace jobq {

// A pool as `stats` shows it.
struct PoolStatus {
    std::string name, kind;
    int slots = 0, busy = 0;
    std::vector<std::string> queues;
};

class PoolTable {
  public:
    // `config`: the one of now, which a reload exchanges.
    explicit PoolTable(const std::shared_ptr<const Config>& config) : config_(config) {}

    std::vector<PoolStatus> statuses(Broker& broker) const;
    // What that pool of the runner runs now.
    Types types_of(const std::string& pool);
    // One of them runs jobs of that type from that queue.
    bool runs(const std::string& type, const std::string& queue) const;

  private:
    const std::shared_ptr<const Config>& config_;
    std::shared_ptr<const Config> known_for_;  // the version that types_ is of
    std::map<std::string, Types> types_;
};

}  // namespace jobq
