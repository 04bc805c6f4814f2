// jobqd: the broker, and with `jobqd runner` the process that runs commands for it.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "core/base/error.h"
#include "core/base/stdio.h"
#include "daemon/app/options.h"
#include "daemon/app/program.h"
#include "daemon/loop/closed_process.h"

namespace {

// What was asked for and did not get out is no success.
int with_output(int status) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    std::fprintf(stderr, "jobqd: can't write to stdout: %s\n", std::strerror(errno));
    return status == 0 ? jobq::info(jobq::ErrorCode::internal).exit_status : status;
}

}  // namespace

// What is thrown past everything is a fault of jobqd's own: it is told as one, not as a signal.
int main(int argc, char** argv) {
    jobq::open_stdio(jobq::ClosedStdio::is_empty);
    jobq::close_to_own_user();
    try {
        auto parsed = jobq::parse_options(argc, argv);
        jobq::hide_passwords(argc, argv);
        if (parsed.exit_status) return with_output(*parsed.exit_status);
        return with_output(jobq::run_daemon(parsed.options));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "jobqd: internal error: %s; please report it\n", error.what());
    } catch (...) {
        std::fprintf(stderr, "jobqd: internal error of an unknown kind; please report it\n");
    }
    return jobq::info(jobq::ErrorCode::internal).exit_status;
}
