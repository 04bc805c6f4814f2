#include "daemon/loop/closed_process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string_view>

#include "daemon/loop/oom_score.h"

namespace jobq {

void close_to_own_user() {
    open_oom_score();
    const char* debug = std::getenv("JOBQ_DEBUG");
    if (debug != nullptr && std::string_view(debug) == "1") return;
#ifndef __SANITIZE_ADDRESS__  // it traces itself to look for leaks
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    rlimit core{};
    if (getrlimit(RLIMIT_CORE, &core) != 0) return;
    core.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &core);
}

}  // namespace jobq
