// A program with files for its standard streams: no pipe can fill up, and nothing waits.
#include "tests/docs/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <stdexcept>

#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (auto& word : words)
        result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

int status_of(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace

ProgramEnd run_program(const std::vector<std::string>& argv, const std::string& input,
                       const std::map<std::string, std::string>& environment,
                       std::chrono::seconds limit) {
    TempDir dir;
    std::string in = dir.write("in", input), out = dir / "out", err = dir / "err";
    std::vector<std::string> words = argv, variables;
    if (environment.count("PATH") == 0)
        variables.push_back(std::string("PATH=") + std::getenv("PATH"));
    for (const auto& [name, value] : environment)
        variables.push_back(name + "=" + value);

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
    pid_t pid = 0;
    int failed = posix_spawnp(&pid, words[0].c_str(), &files, nullptr, pointers(words).data(),
                              pointers(variables).data());
    posix_spawn_file_actions_destroy(&files);
    if (failed) throw std::runtime_error("can't start " + words[0]);

    int status = 0;
    ProgramEnd end;
    if (eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }, limit)) {
        end.status = status_of(status);
    } else {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    end.out = read_file(out);
    end.err = read_file(err);
    return end;
}

}  // namespace jobq::test
