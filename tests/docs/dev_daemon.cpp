// Starting and ending jobqd --dev.
#include "tests/docs/dev_daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "tests/support/paths.h"
#include "tests/support/poll.h"

extern char** environ;

namespace jobq::test {

DevDaemon::DevDaemon(std::vector<std::string> flags) {
    std::filesystem::create_directory(state_dir());
    std::string log_file = dir_ / "log", socket_path = socket(), state = state_dir();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, log_file.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_adddup2(&files, 2, 1);
    std::string program = kJobqdProgram;
    std::vector<std::string> words{program, "--dev", "--state-dir", state, "--unix", socket_path};
    words.insert(words.end(), flags.begin(), flags.end());
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    int failed = posix_spawn(&pid_, program.c_str(), &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (failed) throw std::runtime_error("can't start " + program);
    bool ended = false;
    auto ready_or_ended = [&] {
        ended = waitpid(pid_, nullptr, WNOHANG) == pid_;
        return ended || std::filesystem::exists(state_dir() + "/jobqd.ready");
    };
    if (eventually(ready_or_ended, std::chrono::seconds(20)) && !ended) return;
    if (!ended) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    throw std::runtime_error("jobqd --dev did not get ready:\n" + log());
}

DevDaemon::~DevDaemon() {
    kill(pid_, SIGTERM);
    auto ended = [&] { return waitpid(pid_, nullptr, WNOHANG) == pid_; };
    if (eventually(ended, std::chrono::seconds(20))) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

std::map<std::string, std::string> DevDaemon::environment() const {
    auto folder = [](const char* program) {
        return std::filesystem::path(program).parent_path().string();
    };
    return {
        {"JOBQ_URL", "unix:" + socket()},
        {"PATH", folder(kJobqProgram) + ":" + folder(kJobqdProgram) + ":" + std::getenv("PATH")},
        {"HOME", dir_.path()}};
}

}  // namespace jobq::test
