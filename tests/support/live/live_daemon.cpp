// See live_daemon.h.
#include "tests/support/live/live_daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

// The fields of /proc/PID/stat after the name in parentheses: state first, then the parent.
std::vector<std::string> stat_of(pid_t pid) {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
    const size_t end = text.rfind(')');
    std::vector<std::string> fields;
    if (end == text.npos) return fields;
    std::istringstream words(text.substr(end + 1));
    for (std::string word; words >> word;)
        fields.push_back(word);
    return fields;
}

std::vector<pid_t> all_pids() {
    std::vector<pid_t> pids;
    DIR* proc = opendir("/proc");
    if (!proc) return pids;
    while (const dirent* entry = readdir(proc)) {
        const pid_t pid = std::atoi(entry->d_name);
        if (pid > 0) pids.push_back(pid);
    }
    closedir(proc);
    return pids;
}

std::string last_lines(const std::string& text, int lines) {
    size_t at = text.size();
    while (lines-- >= 0 && at != text.npos && at > 0)
        at = text.rfind('\n', at - 1);
    return at == text.npos ? text : text.substr(at + 1);
}

// Whether someone holds the lock on this file.
bool is_locked(const std::string& path) {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return false;
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return locked;
}

// The "jobs" of `jobq stats --json`; {} when there is no answer.
nlohmann::json job_counts(const LiveDaemon& daemon) {
    const Ran ran = daemon.jobq({"stats", "--json"});
    if (ran.status != 0) return nlohmann::json::object();
    const auto stats = nlohmann::json::parse(ran.out, nullptr, false);
    return stats.is_object() ? stats.at("jobs") : nlohmann::json::object();
}

}  // namespace

double cpu_seconds(pid_t pid) {
    const auto fields = stat_of(pid);
    if (fields.size() < 13) return -1;
    return double(std::atol(fields[11].c_str()) + std::atol(fields[12].c_str())) /
           double(sysconf(_SC_CLK_TCK));
}

bool is_alive(pid_t pid) {
    const auto fields = stat_of(pid);
    return pid > 0 && !fields.empty() && fields[0] != "Z" && fields[0] != "X";
}

std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    for (const pid_t pid : all_pids()) {
        const auto fields = stat_of(pid);
        if (fields.size() > 1 && std::atoi(fields[1].c_str()) == parent) children.push_back(pid);
    }
    return children;
}

int processes_with(const std::string& word) {
    int count = 0;
    for (const pid_t pid : all_pids()) {
        const std::string words = '\0' + read_file("/proc/" + std::to_string(pid) + "/cmdline");
        if (words.find('\0' + word + '\0') != words.npos && is_alive(pid)) ++count;
    }
    return count;
}

LiveDaemon::LiveDaemon(const std::string& toml, std::vector<std::string> flags,
                       const std::function<void(const std::string&)>& prepare)
    : flags_(std::move(flags)), uncaught_at_start_(std::uncaught_exceptions()) {
    write_config(toml);
    if (prepare) prepare(state_dir());
    start();
}

LiveDaemon::~LiveDaemon() {
    const pid_t redis = redis_pid();
    if (pid_ > 0) {
        ::kill(pid_, SIGTERM);
        if (!wait_end(8)) {
            ::kill(pid_, SIGKILL);
            wait_end(10);
        }
    }
    // The lock says that the pid is still the runner's.
    const std::string lock = state_dir() + "/runner.lock";
    if (is_locked(lock)) ::kill(runner_pid(), SIGKILL);
    // Redis ends with jobqd; the state directory goes once it has.
    eventually([&] { return !is_alive(redis) && !is_locked(lock); });
    if (std::uncaught_exceptions() > uncaught_at_start_)
        std::fprintf(stderr, "--- end of the log of jobqd in %s:\n%s\n", dir_.path().c_str(),
                     last_lines(log(), 40).c_str());
}

void LiveDaemon::write_config(const std::string& toml) const {
    std::string text = toml;
    for (size_t at = text.find("{dir}"); at != text.npos; at = text.find("{dir}"))
        text.replace(at, 5, dir_.path());
    dir_.write("jobqd.toml", text);
}

void LiveDaemon::start() {
    const std::string log_file = dir_ / "log";
    std::vector<std::string> words{
        "jobqd", "--config", dir_ / "jobqd.toml", "--state-dir", state_dir(), "--unix", socket()};
    words.insert(words.end(), flags_.begin(), flags_.end());
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string ready = state_dir() + "/jobqd.ready";
    unlink(ready.c_str());
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int null = open("/dev/null", O_RDONLY);
        const int out = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(null, 0);
        dup2(out, 1);
        dup2(out, 2);
        setenv("HOME", dir_.path().c_str(), 1);
        unsetenv("XDG_RUNTIME_DIR");
        execv(program_.empty() ? kJobqdProgram : program_.c_str(), argv.data());
        _exit(127);
    }
    int status = 0;
    bool ended = false;
    const auto ready_or_ended = [&] {
        ended = waitpid(pid_, &status, WNOHANG) == pid_;
        return ended || access(ready.c_str(), F_OK) == 0;
    };
    if (eventually(ready_or_ended, std::chrono::seconds(30)) && !ended) return;
    if (!ended) kill();
    pid_ = 0;
    throw std::runtime_error("jobqd did not get ready:\n" + log());
}

bool LiveDaemon::wait_end(int limit_s, int* status) {
    int how = 0;
    const auto ended = [&] { return waitpid(pid_, &how, WNOHANG) != 0; };
    if (!eventually(ended, std::chrono::seconds(limit_s))) return false;
    if (status) *status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    pid_ = 0;
    return true;
}

void LiveDaemon::kill() {
    ::kill(pid_, SIGKILL);
    wait_end(10);
}

void LiveDaemon::restart() {
    const std::string ready = state_dir() + "/jobqd.ready";
    unlink(ready.c_str());
    signal(SIGUSR2);
    const auto is_ready = [&] { return access(ready.c_str(), F_OK) == 0; };
    if (!eventually(is_ready, std::chrono::seconds(30)))
        throw std::runtime_error("jobqd did not restart:\n" + log());
}

void LiveDaemon::signal(int number) const {
    ::kill(pid_, number);
}

int LiveDaemon::stop() {
    signal(SIGTERM);
    int status = -1;
    if (!wait_end(30, &status)) throw std::runtime_error("jobqd did not stop:\n" + log());
    return status;
}

pid_t LiveDaemon::runner_pid() const {
    return std::atoi(read_file(state_dir() + "/runner.lock").c_str());
}

pid_t LiveDaemon::redis_pid() const {
    if (pid_ <= 0) return 0;
    for (const pid_t pid : children_of(pid_)) {
        const std::string name = read_file("/proc/" + std::to_string(pid) + "/cmdline");
        if (name.find("jobqd") == name.npos && name.find("redis") != name.npos) return pid;
    }
    return 0;
}

CliCall LiveDaemon::call(std::vector<std::string> args, std::string input) const {
    CliCall call;
    call.args = std::move(args);
    call.no_input = input.empty();
    call.input = std::move(input);
    call.env["JOBQ_URL"] = "unix:" + socket();
    call.limit_s = 60;
    return call;
}

Ran LiveDaemon::jobq(std::vector<std::string> args, std::string input) const {
    return run_cli(call(std::move(args), std::move(input)));
}

std::string LiveDaemon::must(std::vector<std::string> args, std::string input) const {
    const std::string verb = args.empty() ? "" : args.front();
    Ran ran = jobq(std::move(args), std::move(input));
    if (ran.status != 0)
        throw std::runtime_error("jobq " + verb + " ended with " + std::to_string(ran.status) +
                                 ": " + ran.err.substr(0, 2000));
    while (!ran.out.empty() && ran.out.back() == '\n')
        ran.out.pop_back();
    return ran.out;
}

int64_t LiveDaemon::count(const std::string& member) const {
    return job_counts(*this).value(member, int64_t(-1));
}

int64_t LiveDaemon::unfinished() const {
    const auto jobs = job_counts(*this);
    if (jobs.empty()) return -1;
    return jobs.at("pending").get<int64_t>() + jobs.at("running").get<int64_t>();
}

std::vector<std::string> LiveDaemon::states(const std::vector<std::string>& jids) const {
    std::string input;
    for (const auto& jid : jids)
        input += jid + "\n";
    const Ran ran = jobq({"status", "-", "-o", "jsonl"}, input);
    std::vector<std::string> states;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
        const auto job = nlohmann::json::parse(line, nullptr, false);
        states.push_back(job.is_object() ? job.value("state", "unknown") : "unreadable");
    }
    return states;
}

int tcp_port(const LiveDaemon& daemon) {
    const auto ready = nlohmann::json::parse(read_file(daemon.state_dir() + "/jobqd.ready"));
    const std::string tcp = ready.at("tcp");
    return std::stoi(tcp.substr(tcp.rfind(':') + 1));
}

}  // namespace jobq::test
