// From the options of `jobq work` to those of a runner; see work.h.
// Must stay true: a value that is named by --env alone is read here, from the environment, so that
// it never stands on a command line.
#include "daemon/runner/work.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>

#include "core/base/text.h"
#include "core/config/queue_words.h"
#include "daemon/runner/runner.h"
#include "daemon/runner/work_log.h"

namespace jobq {
namespace {

constexpr const char* kPoolName = "work";

Result<std::map<std::string, std::string>> env_of(const std::vector<std::string>& words) {
    std::map<std::string, std::string> env;
    for (const auto& word : words) {
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const char* own = equals == std::string::npos ? std::getenv(name.c_str()) : "";
        if (name.empty() || own == nullptr)
            return fail(ErrorCode::invalid,
                        "--env: the environment has no variable '" + name + "'");
        env[name] = equals == std::string::npos ? own : word.substr(equals + 1);
    }
    return env;
}

// Can only be asked by setting it.
int own_umask() {
    const mode_t mask = ::umask(077);
    ::umask(mask);
    return int(mask & 0777);
}

Result<Assignment> assignment_of(const WorkOptions& options) {
    auto words = parse_queue_words(options.queues);
    if (!words) return tl::unexpected<Error>(words.error());
    auto env = env_of(options.env);
    if (!env) return tl::unexpected<Error>(env.error());
    if (options.command.empty() || options.command.front().empty())
        return fail(ErrorCode::invalid, "the command is missing: -- COMMAND [ARGUMENT...]");
    if (options.slots < 1) return fail(ErrorCode::invalid, "--slots: must be at least 1");
    PoolSpec pool;
    pool.name = kPoolName;
    pool.slots = options.slots;
    pool.queues = std::move(words->queues);
    pool.strict = words->strict;
    pool.types = options.types;
    TypeSpec type;  // its time limit is never used: each job comes with its own
    type.run = options.command;
    type.env = std::move(*env);
    type.cwd = options.cwd;
    type.umask = own_umask();
    Assignment assignment;
    assignment.pools.push_back(std::move(pool));
    assignment.types.emplace(kAnyType, std::move(type));
    return assignment;
}

}  // namespace

int run_work(const WorkOptions& options) {
    auto assignment = assignment_of(options);
    if (!assignment) {
        std::fprintf(stderr, "jobqd runner: %s\n", assignment.error().text.c_str());
        return info(assignment.error().code).exit_status;
    }
    WorkLog log(options);
    RunnerOptions runner;
    runner.endpoint = options.endpoint;
    runner.own_daemon = options.own_daemon;
    runner.name = options.name;
    runner.local = std::move(*assignment);
    runner.stop_timeout_ms = options.stop_timeout_ms;
    runner.exit_when_gone_ms = -1;
    runner.burst = options.burst;
    runner.max_jobs = options.max_jobs;
    runner.on_start = [&log](const TakenJob& job) { log.started(job); };
    runner.on_end = [&log](const TakenJob& job, const RunReport& report) {
        log.ended(job, report);
    };
    runner.on_log = [&log](LogLevel level, std::string_view event, const std::string& text) {
        log.event(level, event, text);
    };
    int status = run_runner(runner);
    log.closed();
    return status;
}

}  // namespace jobq
