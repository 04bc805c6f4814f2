// jobqd: the broker, and with `jobqd runner` the process that runs commands for it.
#include <cstdio>

#include "daemon/app.h"
#include "daemon/options.h"

int main(int argc, char** argv) {
    auto parsed = jobq::parse_options(argc, argv);
    if (parsed.exit_status) return *parsed.exit_status;
    return jobq::run_daemon(parsed.options);
}
