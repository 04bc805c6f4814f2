// `jobq work`: the runner with one command for every job of some queues, on this machine or
// another. main() calls run_work() for `jobqd runner --queue ...`, which is what `jobq work`
// becomes once it has checked its words and found the daemon.
//
// Must stay true: nothing here runs jobs; it only says to run_runner() what is to be run, and to a
// person what happens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/limits.h"

namespace jobq {

struct WorkOptions {
    std::string endpoint, name;
    bool own_daemon = false;           // as in RunnerOptions
    std::vector<std::string> queues;   // words, see core/config/queue_words.h
    std::vector<std::string> types;    // only these; empty: any
    std::vector<std::string> command;  // argv template
    std::vector<std::string> env;      // NAME=VALUE, or NAME: as in this process's environment
    std::string cwd;
    int slots = 1;
    int64_t stop_timeout_ms = limits::kStopTimeoutMs;
    bool burst = false;
    int64_t max_jobs = -1;
    bool verbose = false;  // a line for each job
    bool silent = false;   // only what went wrong
    bool json = false;     // all of it as JSON lines on stdout
};

// The exit status: 0 after an orderly end, 2 when the options can't be meant.
int run_work(const WorkOptions& options);

}  // namespace jobq
