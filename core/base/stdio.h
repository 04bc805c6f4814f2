// Descriptors 0 to 2 exist, whatever our parent closed: else the first socket or file we open
// becomes one of them, and what is meant for a person goes into it. main() calls this before
// anything else.
#pragma once

namespace jobq {

enum class ClosedStdio {
    is_empty,  // reads as empty, swallows what is written: a daemon does not mind
    fails      // stdin and stdout fail with EBADF when they are used; stderr swallows
};

void open_stdio(ClosedStdio as);

}  // namespace jobq
