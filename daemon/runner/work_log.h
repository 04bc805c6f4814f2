// WorkLog: what `jobq work` tells a person, or a program: one line when it is connected, then only
// what goes wrong; each job too when asked. Text on stderr, JSON lines on stdout. Owned by
// run_work(), called by the runner from its loop.
// Must stay true: an outage of jobqd is told once, and its end once, however often it is tried.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/protocol/runner_messages.h"
#include "daemon/observe/log.h"
#include "daemon/runner/work.h"

namespace jobq {

class WorkLog {
  public:
    explicit WorkLog(const WorkOptions& options) : options_(options) {}

    void event(LogLevel level, std::string_view event, const std::string& text);
    void started(const TakenJob& job);
    void ended(const TakenJob& job, const RunReport& report);
    // At the end of the process.
    void closed();

  private:
    void print(const std::string& text) const;
    void print_json(std::string_view event, std::string members) const;
    bool repeats(std::string_view event);
    std::string start_line() const;

    const WorkOptions& options_;
    bool met_ = false;  // it was connected once
    bool away_ = false;
    int64_t succeeded_ = 0, others_ = 0;
};

}  // namespace jobq
