// RunnerGuard: a small process beside the runner that ends its jobs when the runner itself is
// killed. The jobs' own processes die with the runner by their parent-death signal; what those have
// started would live on. The guard knows the sessions from memory it shares with the runner, and
// learns of the runner's end by a pipe.
//
// Must stay true: it is forked before the runner has opened anything, so it keeps the descriptors
// jobqd gave the runner, the lock among them: nobody takes the runner's place before it is done.
#pragma once

#include <memory>

namespace jobq {

class RunnerGuard {
  public:
    // Null when the system does not let us: then jobs are ended as far as their leaders go.
    static std::unique_ptr<RunnerGuard> start();
    ~RunnerGuard();  // the guard ends what is entered still, and is waited for
    RunnerGuard(const RunnerGuard&) = delete;

    // A place for SpawnPlan::pid_note: the child enters itself, so that no instant is left in which
    // it runs and is not known. Null when there is none left.
    int* reserve();
    void give_back(int* place);  // nothing was started
    void leave(int session);

  private:
    struct Table;
    RunnerGuard() = default;

    Table* table_ = nullptr;
    int pipe_fd_ = -1;
    int pid_ = -1;
};

}  // namespace jobq
