// Declares each verb where it is defined: name.cpp for kName, act.cpp for those that change jobs by
// id. Included where they are defined too: without a declaration a constant is not seen elsewhere.
#pragma once

#include "cli/line/verb.h"

namespace jobq::cli {

extern const Verb kEnqueue, kRun;                                         // enqueue, run
extern const Verb kStatus, kWhy, kHistory, kWait, kResult, kLogs, kList;  // of the same name
extern const Verb kCancel, kRetry, kRelease, kRm, kRetryDead;             // act, retry_dead
extern const Verb kQueueList, kQueuePause, kQueueResume, kQueueClear, kQueueLatency;  // queue
extern const Verb kWorkersList, kWorkersQuiet, kWorkersStop, kWork;  // workers, work
extern const Verb kProfileCpu, kProfileHeap, kProfileTasks;          // profile, profile_tasks
extern const Verb kStats, kTop, kEvents, kLoadgen, kPing, kVersion, kConfigCheck;
extern const Verb kConfigShow;
extern const Verb kDoctor;                        // doctor
extern const Verb kImportFaktory;                 // import_faktory
extern const Verb kCompletion, kComplete, kHelp;  // complete, help

}  // namespace jobq::cli
