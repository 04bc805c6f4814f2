// An exec job that writes down that it runs: `witness_job LOG [PAYLOAD]`, the payload on stdin says
// what it does: {"do":"ok"|"fail"|"kill_parent"|"crash"|...,"ms":N,"fail_first":N}. fail_first: the
// first so many attempts fail, whatever `do` says. The nasty deeds leave processes behind that have
// the arguments of the job, so that they can be found whatever else they hide.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
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

constexpr int64_t kStrayUs = 60'000'000;  // if nobody ends it before
constexpr int kMany = 40;
constexpr size_t kFlood = 20 << 20, kBite = 1 << 20;

void ignore_signals() {
    for (const int number : {SIGTERM, SIGHUP, SIGINT})
        signal(number, SIG_IGN);
}

[[noreturn]] void live_on() {
    ignore_signals();
    for (const int64_t end = monotonic_us() + kStrayUs; monotonic_us() < end;)
        usleep(100'000);
    _exit(0);
}

// In a process that is no child of ours, and in a session of its own.
template <class Body>
void far_away(Body body) {
    const pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0) body();
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

// Always another process: each starts the next one and ends. None lives long enough to be looked
// at, so each writes down when it was there: in the file LOG.JID.
[[noreturn]] void relay(const std::string& path) {
    const int64_t end = monotonic_us() + kStrayUs;
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ignore_signals();
    while (monotonic_us() < end && fork() == 0) {
        const std::string now = std::to_string(monotonic_us());
        if (pwrite(fd, now.data(), now.size(), 0) < 0) break;
        usleep(useconds_t(monotonic_us() % 500));
    }
    _exit(0);
}

[[noreturn]] void hide(char** argv) {
    setsid();
    for (int fd = 0; fd < 20; ++fd)
        close(fd);
    char stray[] = "stray";
    char* words[] = {argv[0], argv[1], argv[2], stray, nullptr};
    char* nothing[] = {nullptr};
    execve("/proc/self/exe", words, nothing);
    _exit(1);
}

void flood() {
    const std::string block(64 << 10, 'x');
    for (size_t sent = 0; sent < kFlood; sent += block.size())
        for (const int fd : {1, 2})
            if (write(fd, block.data(), block.size()) < 0) return;
}

[[noreturn]] void eat() {
    while (true)
        std::memset(::operator new(kBite), 1, kBite);
}

void do_nasty(const std::string& what, char** argv) {
    if (what == "background" && fork() == 0) live_on();
    if (what == "far") far_away(live_on);
    if (what == "many")
        for (int i = 0; i < kMany; ++i)
            far_away(live_on);
    if (what == "hidden") far_away([argv] { hide(argv); });
    if (what == "relay") far_away([argv] { relay(argv[1] + ("." + environment("JOBQ_JID"))); });
    if (what == "deaf") ignore_signals();
    if (what == "stopped") raise(SIGSTOP);
    if (what == "flood") flood();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4) live_on();
    if (argc != 2 && argc != 3) return 2;
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
    if (what == "eat") eat();
    if (argc == 3) do_nasty(what, argv);
    for (int64_t left = plan.value("ms", int64_t(0)); left > 0; left -= kAliveEveryMs) {
        usleep(useconds_t(std::min(left, kAliveEveryMs) * 1000));
        if (left > kAliveEveryMs) witness.say(Mark::Kind::alive);
    }
    const bool fails =
        what == "fail" || what == "flood" || witness.attempt() <= plan.value("fail_first", 0);
    witness.say(fails ? Mark::Kind::end_fail : Mark::Kind::end_ok);
    std::printf("\"%s\"", checksum_of(payload).c_str());
    return fails ? kFailed : 0;
}
