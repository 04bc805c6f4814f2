// The limit of one request at a time: a byte to another process and back over a Unix socket.
//
//   bench_ping_pong [--rounds N]
#include <sys/socket.h>
#include <sys/wait.h>

#include <stdexcept>

#include "tests/bench/bench_kit.h"

int main(int argc, char** argv) {
    using namespace jobq::bench;
    const int64_t rounds = option(argc, argv, "rounds", 50'000);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw std::runtime_error("no socket pair");
    const pid_t other = fork();
    char byte = 'x';
    if (other == 0) {
        ::close(ends[0]);
        while (::read(ends[1], &byte, 1) == 1 && ::write(ends[1], &byte, 1) == 1) {
        }
        _exit(0);
    }
    ::close(ends[1]);
    const double begin = now_s();
    for (int64_t i = 0; i < rounds; ++i)
        if (::write(ends[0], &byte, 1) != 1 || ::read(ends[0], &byte, 1) != 1)
            throw std::runtime_error("the other process has gone");
    print_figure(
        {{"name", "socket ping-pong"}, {"rounds_per_s", double(rounds) / (now_s() - begin)}});
    ::close(ends[0]);
    ::waitpid(other, nullptr, 0);
}
