// An exec job that writes down that it runs: `witness_job LOG`, the payload on stdin says what it
// does: {"do":"ok"|"fail"|"kill_parent"|"crash","ms":N,"fail_first":N}. fail_first: the first so
// many attempts fail, whatever `do` says.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/chaos/witness.h"

namespace {

using namespace jobq::chaos;

constexpr int64_t kAliveEveryMs = 100;
constexpr int kFailed = 1;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string all_input() {
    std::string input;
    char space[1 << 16];
    for (ssize_t got; (got = read(0, space, sizeof space)) > 0;)
        input.append(space, size_t(got));
    return input;
}

class Witness {
  public:
    Witness(std::string log, const std::string& payload) : log_(std::move(log)) {
        mark_.jid = environment("JOBQ_JID");
        mark_.attempt = std::atoi(environment("JOBQ_ATTEMPT").c_str());
        mark_.pid = getpid();
        mark_.holder = std::to_string(getppid());
        mark_.checksum = checksum_of(payload);
    }

    void say(Mark::Kind kind) {
        mark_.kind = kind;
        mark_.at_us = monotonic_us();
        if (!write_mark(log_, mark_)) _exit(kFailed);
    }

    int attempt() const { return mark_.attempt; }

  private:
    std::string log_;
    Mark mark_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::string payload = all_input();
    Witness witness(argv[1], payload);
    witness.say(Mark::Kind::start);
    const auto plan = nlohmann::json::parse(payload, nullptr, false);
    if (!plan.is_object()) return kFailed;
    const std::string what = plan.value("do", "ok");
    if (what == "kill_parent") {
        kill(getppid(), SIGKILL);
        pause();
    }
    if (what == "crash") kill(getpid(), SIGSEGV);
    for (int64_t left = plan.value("ms", int64_t(0)); left > 0; left -= kAliveEveryMs) {
        usleep(useconds_t(std::min(left, kAliveEveryMs) * 1000));
        if (left > kAliveEveryMs) witness.say(Mark::Kind::alive);
    }
    const bool fails = what == "fail" || witness.attempt() <= plan.value("fail_first", 0);
    witness.say(fails ? Mark::Kind::end_fail : Mark::Kind::end_ok);
    std::printf("\"%s\"", checksum_of(payload).c_str());
    return fails ? kFailed : 0;
}
