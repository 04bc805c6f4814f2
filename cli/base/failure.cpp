// The exit statuses of jobq, as `jobq help exit` prints them. Those of errors come from
// core/base/error.cpp; here are the words for people.
#include "cli/base/failure.h"

#include <array>

namespace jobq::cli {
namespace {

constexpr std::array kRows{
    ExitRow{kDone, "done"},
    ExitRow{kJobFailed,
            "the job failed, some of several lines or ids failed, or doctor left findings"},
    ExitRow{kUsage, "wrong usage: an invalid verb, option or value"},
    ExitRow{kNotFound, "no such job, queue or worker"},
    ExitRow{4, "a duplicate, or the state of the job does not allow the request"},
    ExitRow{kBadData, "bad data: not JSON, not UTF-8, too large or nested too deeply"},
    ExitRow{kNoInput, "no input: the file does not exist or can't be read, or stdin has no ids"},
    ExitRow{kNoDaemon, "jobqd or its store can't be reached"},
    ExitRow{70, "an internal error"},
    ExitRow{kTryAgain, "try again: full, over a limit, or the answer was lost"},
    ExitRow{77, "not permitted"},
    ExitRow{78, "the configuration has errors"},
    ExitRow{kTimedOut, "a wait or a time limit expired"},
    ExitRow{kInterrupted, "interrupted by ^C"},
};

}  // namespace

std::span<const ExitRow> exit_table() {
    return kRows;
}

}  // namespace jobq::cli
