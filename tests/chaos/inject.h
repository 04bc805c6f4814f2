// Inject: strace on a process for so long as the object lives, so that its system calls fail, wait
// or kill. For scenarios; needs root and strace.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace jobq::chaos {

// Throws NotRun when it is not so.
void need_tracing();

class Inject {
  public:
    // `what` as strace(1) has it after "inject="; with `only_path` only calls on that file. alone:
    // neither its other threads nor what it starts. strace can't let go of a process that waits for
    // a vforked one that it traces too.
    enum class Whom : uint8_t { all, alone };
    Inject(pid_t victim, const std::string& what, const std::string& only_path = "",
           Whom whom = Whom::all);
    // It lets go of its victim.
    ~Inject();
    Inject(const Inject&) = delete;

  private:
    pid_t pid_ = 0;
};

}  // namespace jobq::chaos
