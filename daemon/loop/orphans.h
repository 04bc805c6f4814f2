// Orphans: processes that jobs left behind. The runner is their subreaper, so whatever a job
// started becomes a child of the runner when its own parent dies, even after setsid and a double
// fork. Being our unreaped children, their pids can't be recycled while we look at them.
// Used by the runner's orphan sweeper; know_child() and the like by Child.
#pragma once

#include <functional>
#include <string>

namespace jobq {

// Makes this process the one that orphans of its children come to.
void adopt_orphans();

struct Orphan {
    int pid = -1;
    int session = -1;
    std::string jid;  // of its environment's JOBQ_JID, "" when it has none
};

// Reaps the dead ones and kills (SIGKILL) those living that `keep` does not want.
// Returns how many it killed: their own children come up in the next sweep.
int sweep_orphans(const std::function<bool(const Orphan&)>& keep);

// Children that are no orphans: started by Child and not reaped yet.
void know_child(int pid);
void forget_child(int pid);
// Nobody watches it any more, but it may live: a sweep reaps it and never kills it.
void leave_child(int pid);

}  // namespace jobq
