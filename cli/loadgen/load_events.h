// LoadEvents: follows JOBQ EVENTS on a connection of its own while `jobq loadgen --latency` runs,
// and measures when its jobs started and ended.
#pragma once

#include "cli/loadgen/load_link.h"
#include "cli/loadgen/load_result.h"

namespace jobq::cli {

class LoadEvents {
  public:
    // Both must outlive it.
    static Answer<LoadEvents> open(const Target& target, const LoadIds& ids, const LoadBook& book,
                                   LoadResult& result);

    int fd() const { return link_.fd(); }

    // What has come; false when the connection is lost.
    [[nodiscard]] bool take();
    // Until all `jobs` ends were seen or lost, or none came for a while.
    [[nodiscard]] bool take_rest(int64_t jobs);

  private:
    LoadEvents(LoadLink link, const LoadIds& ids, const LoadBook& book, LoadResult& result);

    void note(std::string_view event);

    LoadLink link_;
    const LoadIds& ids_;
    const LoadBook& book_;
    LoadResult& result_;
    int64_t wall_ahead_us_;  // the wall clock less the monotonic one
};

}  // namespace jobq::cli
