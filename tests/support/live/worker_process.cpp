// See worker_process.h.
#include "tests/support/live/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/poll.h"

namespace jobq::test {

WorkerProcess::WorkerProcess(const LiveDaemon& daemon, std::vector<std::string> args,
                             std::string url) {
    const CliCall call = daemon.call({});
    std::vector<std::string> words{call.program, "work"};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<std::string> env{"PATH=/usr/bin:/bin", "HOME=" + dir_.path(), "SECRET=not-for-jobs",
                                 "JOBQ_URL=" + (url.empty() ? call.env.at("JOBQ_URL") : url)};
    std::vector<char*> argv, envp;
    for (auto& word : words)
        argv.push_back(word.data());
    for (auto& line : env)
        envp.push_back(line.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const std::string out_path = dir_ / "out", err_path = dir_ / "err";
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int null = open("/dev/null", O_RDONLY);
        const int out = open(out_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        const int err = open(err_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(null, 0);
        dup2(out, 1);
        dup2(err, 2);
        execve(argv[0], argv.data(), envp.data());
        _exit(127);
    }
}

WorkerProcess::~WorkerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, SIGKILL);
    wait_end();
}

void WorkerProcess::signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
}

int WorkerProcess::wait_end(int limit_s) {
    if (pid_ <= 0) return status_;
    int how = 0;
    const auto ended = [&] { return waitpid(pid_, &how, WNOHANG) != 0; };
    if (!eventually(ended, std::chrono::seconds(limit_s))) return -1;
    pid_ = 0;
    status_ = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return status_;
}

bool WorkerProcess::says(const std::string& text, int limit_s) const {
    return eventually([&] { return contains(err(), text) || contains(out(), text); },
                      std::chrono::seconds(limit_s));
}

}  // namespace jobq::test
