// Tracer: strace on a running process and what it forks, so that a system call of it fails.
#pragma once

#include <sys/types.h>

#include <string>

namespace jobq::test {

class Tracer {
  public:
    // Attached when the constructor returns; `inject` is strace's "-e inject=". Pid 0: nothing.
    // `path`: calls on this file alone; "": all.
    Tracer(pid_t traced, const std::string& inject, const std::string& path = "");
    ~Tracer();
    Tracer(const Tracer&) = delete;

    // Whether strace is here and may trace.
    static bool is_possible();

  private:
    pid_t pid_ = 0;
};

}  // namespace jobq::test
