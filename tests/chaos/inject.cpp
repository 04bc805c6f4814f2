// See inject.h.
#include "tests/chaos/inject.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "tests/chaos/scenarios.h"
#include "tests/support/poll.h"

namespace jobq::chaos {

void need_tracing() {
    need_root();
    need_program("strace");
}

Inject::Inject(pid_t victim, const std::string& what, const std::string& only_path, Whom whom) {
    need_tracing();
    std::vector<std::string> words{"strace",    "-qq", "-o",
                                   "/dev/null", "-p",  std::to_string(victim)};
    if (whom == Whom::all) words.push_back("-f");
    if (!only_path.empty()) words.insert(words.end(), {"-P", only_path});
    words.insert(words.end(), {"-e", "inject=" + what});
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    execvp(argv[0], argv.data());
    _exit(127);
}

Inject::~Inject() {
    kill(pid_, SIGTERM);
    const auto gone = [&] { return waitpid(pid_, nullptr, WNOHANG) != 0; };
    if (test::eventually(gone)) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

}  // namespace jobq::chaos
