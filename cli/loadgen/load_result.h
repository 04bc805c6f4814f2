// What `jobq loadgen` measured, and the book it keeps of the jobs it sent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/loadgen/latency_histogram.h"
#include "cli/loadgen/load_plan.h"
#include "cli/terminal/progress_line.h"

namespace jobq::cli {

// By the jobs' numbers; those of one request follow each other.
struct LoadBook {
    int64_t batch = 1;
    std::vector<int64_t> asked_us;  // of each request, monotonic; of the schedule with --rate
    std::vector<bool> acked;        // of each job
};

struct LoadResult {
    int64_t sent = 0, acked = 0;
    int64_t refused = 0;     // jobs refused for now and sent again, each time counted
    int64_t enqueue_us = 0;  // from the first request to the last answer
    int64_t ended = 0;       // jobs that ended while it was waited for that
    int64_t run_us = 0;      // drain: from the resume; both: from the first request
    LatencyHistogram ack, start, finish;
    int64_t events_seen = 0, events_lost = 0;
    int64_t user_us = 0, system_us = 0;  // what loadgen itself used until then
    bool interrupted = false;

    bool checked = false;
    int64_t looked_up = 0, lost = 0, unfinished = 0, dead = 0;
    std::string lost_example;  // the id of one
};

// How far it is, and how fast.
class LoadProgress {
  public:
    explicit LoadProgress(Output& out) : line_(out) {}

    // At most some times a second.
    void show(const char* what, int64_t done, int64_t of);

    void clear() { line_.clear(); }

  private:
    ProgressLine line_;
    int64_t next_ms_ = 0, last_ms_ = 0, last_done_ = 0;
    std::string last_what_;
};

// The report on standard output.
void print_load(Output& out, const LoadPlan& plan, const LoadResult& result);

}  // namespace jobq::cli
