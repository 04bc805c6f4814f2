#include "tests/support/live/tracer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

pid_t start_strace(pid_t traced, const std::string& inject, const std::string& path) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 1);
    ::dup2(null, 2);
    const std::string what = "inject=" + inject, who = std::to_string(traced);
    const std::string calls = inject.substr(0, inject.find(':'));
    // Without a path the arguments end before -P.
    ::execlp("strace", "strace", "-f", "-qq", "-o", "/dev/null", "-e", ("trace=" + calls).c_str(),
             "-e", what.c_str(), "-p", who.c_str(), path.empty() ? nullptr : "-P", path.c_str(),
             nullptr);
    ::_exit(127);
}

// Of /proc/PID/status.
bool is_traced(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    std::string word;
    while (file >> word)
        if (word == "TracerPid:") return file >> word && word != "0";
    return false;
}

// Told kindly, it lets go of what it traces. It may miss that among forks, and wait for ever: what
// it traces goes on also when it is killed.
void end_strace(pid_t strace) {
    ::kill(strace, SIGTERM);
    const auto ended = [&] { return ::waitpid(strace, nullptr, WNOHANG) == strace; };
    if (eventually(ended)) return;
    ::kill(strace, SIGKILL);
    ::waitpid(strace, nullptr, 0);
}

}  // namespace

Tracer::Tracer(pid_t traced, const std::string& inject, const std::string& path) {
    if (traced == 0) return;
    pid_ = start_strace(traced, inject, path);
    // The fault may have ended it by now.
    if (eventually([&] { return is_traced(traced) || !is_alive(traced); })) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw std::runtime_error("strace did not attach");
}

Tracer::~Tracer() {
    if (pid_ != 0) end_strace(pid_);
}

bool Tracer::is_possible() {
    const pid_t idle = ::fork();
    if (idle == 0) {
        ::pause();
        ::_exit(0);
    }
    const pid_t strace = start_strace(idle, "getppid:error=EPERM", "");
    const bool attached = eventually([&] { return is_traced(idle); }, std::chrono::seconds(3));
    end_strace(strace);
    ::kill(idle, SIGKILL);
    ::waitpid(idle, nullptr, 0);
    return attached;
}

}  // namespace jobq::test
