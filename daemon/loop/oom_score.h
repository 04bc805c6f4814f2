// How soon the kernel takes a child when memory is short. A child inherits the score of its parent
// at the moment of its making, so the parent's is raised around it: set afterwards from outside,
// the child and what it has started by then would run without it.
#pragma once

#include <optional>
#include <string>

namespace jobq {

// Opens this process's score while /proc still lets it: later, when the process is closed to its
// own user, it could not (daemon/loop/closed_process.h). Also opened by need.
void open_oom_score();

// Best effort: without the right to it nothing is changed.
class RaisedOomScore {
  public:
    // Nothing: as it is.
    explicit RaisedOomScore(std::optional<int> score);
    ~RaisedOomScore();
    RaisedOomScore(const RaisedOomScore&) = delete;

  private:
    std::string before_;  // "": not raised
};

}  // namespace jobq
