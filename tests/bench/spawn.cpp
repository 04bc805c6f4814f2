// The limit of an exec pool: posix_spawn and wait of a program that does nothing, N in flight.
//
//   bench_spawn [--jobs N] [--slots N] [--program PATH]
#include <spawn.h>
#include <sys/wait.h>

#include <stdexcept>

#include "tests/bench/bench_kit.h"

extern char** environ;

int main(int argc, char** argv) {
    using namespace jobq::bench;
    const int64_t jobs = option(argc, argv, "jobs", 3'000), slots = option(argc, argv, "slots", 2);
    std::string program = text_option(argc, argv, "program", "/bin/true");
    char* args[] = {program.data(), nullptr};
    int64_t started = 0, running = 0;
    const double begin = now_s();
    while (started < jobs || running > 0) {
        while (started < jobs && running < slots) {
            pid_t pid = 0;
            if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, args, environ) != 0)
                throw std::runtime_error("can't run " + program);
            ++started;
            ++running;
        }
        if (waitpid(-1, nullptr, 0) > 0) --running;
    }
    print_figure({{"name", "bare spawn"},
                  {"jobs_per_s", double(jobs) / (now_s() - begin)},
                  {"slots", slots}});
}
