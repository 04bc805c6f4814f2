// jobq: the command line of jobqd. argv in, exit status out; everything between is in jobq_cli.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/help.h"
#include "cli/line/invocation.h"
#include "cli/parse.h"
#include "core/base/error.h"
#include "core/base/stdio.h"
#include "core/base/version.h"

namespace jobq::cli {
namespace {

int run(const std::vector<std::string>& tokens) {
    const auto parsed = parse(tokens);
    if (!parsed) {
        print_failure(parsed.error());
        return parsed.error().status;
    }
    Output out(parsed->format,
               parsed->args.verb != nullptr && !parsed->help && parsed->args.has("--quiet"));
    Answer<int> status = kDone;
    if (parsed->version) {
        out.line("jobq " + std::string(version()));
    } else if (parsed->help) {
        status = print_help(out, parsed->help_topic);
    } else if (parsed->args.verb == nullptr) {
        print_short_help(out);
    } else {
        Invocation invocation(parsed->args, out);
        status = parsed->args.verb->run(invocation);
    }
    const auto finished = out.finish();
    if (!status) print_failure(status.error());
    const int code = status ? *status : status.error().status;
    if (finished) return code;
    print_failure(finished.error());
    // It may be what interrupted the verb.
    return code == kDone || code == kInterrupted ? finished.error().status : code;
}

}  // namespace
}  // namespace jobq::cli

// What is thrown past everything is a fault of jobq's own: it is told as one, not as a signal.
int main(int argc, char** argv) {
    jobq::open_stdio(jobq::ClosedStdio::fails);
    try {
        return jobq::cli::run(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "jobq: internal error: %s; please report it with the command line\n",
                     error.what());
    } catch (...) {
        std::fprintf(
            stderr,
            "jobq: internal error of an unknown kind; please report it with the command line\n");
    }
    return jobq::info(jobq::ErrorCode::internal).exit_status;
}
