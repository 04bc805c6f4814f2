// The exit statuses of jobq, as `jobq help exit` prints them. Those of errors come from
// core/base/error.cpp; here are the words for people.
#include "cli/failure.h"

#include <array>

namespace jobq::cli {
namespace {

constexpr std::array kRows{
    ExitRow{kDone, "done"},
    ExitRow{kJobFailed,
            "the job failed, or some lines or ids of several did, or doctor left findings"},
    ExitRow{kUsage, "wrong usage: a verb, an option or a value that can't be meant"},
    ExitRow{kNotFound, "no such job, queue or worker"},
    ExitRow{4, "a duplicate, or the job's state does not allow it"},
    ExitRow{kBadData, "bad data: not JSON, not UTF-8, too large or too deep"},
    ExitRow{kNoInput, "no such input: the file is missing or can't be read"},
    ExitRow{kNoDaemon, "jobqd or its store can't be reached"},
    ExitRow{70, "an internal error"},
    ExitRow{kTryAgain, "try again: full, over a limit, or the answer was lost on the way"},
    ExitRow{77, "not permitted"},
    ExitRow{78, "the configuration has errors"},
    ExitRow{kTimedOut, "a wait or a time limit ended first"},
    ExitRow{kInterrupted, "interrupted by ^C"},
};

}  // namespace

std::span<const ExitRow> exit_table() {
    return kRows;
}

}  // namespace jobq::cli
