// OwnerNames: under which names jobs are held in the store, and which of them are this process's.
//
//   pool:NAME:EPOCH    a pool of this process       reaper:EPOCH...   what it has taken away
//   w:WID              a worker with a lease        faktory           all plain Faktory workers
//   f:WID              holds nothing: the heartbeat of a plain Faktory worker
#pragma once

#include <string>
#include <string_view>

namespace jobq {

inline constexpr const char* kFaktoryOwner = "faktory";

class OwnerNames {
  public:
    // With an epoch of its own, so that a successor knows what this process left as dead.
    OwnerNames();

    const std::string& epoch() const { return epoch_; }

    bool is_mine(std::string_view owner) const { return owner.find(epoch_) != owner.npos; }

    std::string reaper() const { return "reaper:" + epoch_; }

    // Under which name jobs of `from` are taken away: another than its own.
    std::string reaper_of(const std::string& from) const;

    // Of what was fetched for nobody.
    std::string recaller() const { return reaper() + "-recall"; }

    // A daemon's own pool or reaper.
    static bool is_process(std::string_view owner);
    // Under which name a Faktory worker beats in a store that several daemons share.
    static std::string beat_name(const std::string& wid);

  private:
    std::string epoch_;
};

}  // namespace jobq
