// StateFiles: the small files of jobqd in its state directory: its name, and the one that says that
// it is ready. Must stay true: at the end goes what this process has written, and nothing else.
#pragma once

#include <string>

#include "daemon/app/options.h"
#include "daemon/app/part.h"
#include "daemon/server/daemon_status.h"

namespace jobq {

class StateFiles final : public Part {
  public:
    explicit StateFiles(const Places& places) : places_(places) {}

    // Says what is unwise about the places.
    task<Result<>> start() override;
    task<void> stop(Ending ending) override;

    const Places& places() const { return places_; }

    // A name for this state directory that its runners keep over restarts.
    std::string node_id();
    // For people, on stderr, and for programs.
    void say_ready(const DaemonStatus& status);

  private:
    const Places& places_;
    std::string node_id_;
    bool ready_ = false;  // jobqd.ready is ours
    bool stopped_ = false;
};

}  // namespace jobq
