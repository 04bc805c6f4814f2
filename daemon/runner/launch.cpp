// Job + type -> SpawnPlan; see launch.h.
// Must stay true: the job's own JOBQ_* variables win over what a configuration says.
#include "daemon/runner/launch.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "daemon/runner/child_lines.h"

namespace jobq {
namespace {

using Env = std::map<std::string, std::string>;

constexpr std::string_view kPayloadArgument = "{payload}";
constexpr int kJobOomScore = 500;  // a job goes before the daemons do

std::string own_variable(const char* name) {
    const char* set = std::getenv(name);
    return set == nullptr ? std::string() : std::string(set);
}

// A shell that a service's user has so that nobody logs in: no program could use it.
bool is_no_shell(std::string_view path) {
    return path.empty() || path.ends_with("/nologin") || path.ends_with("/false");
}

// As cron and systemd set it up: of the user that jobs run as.
Env env_of_user() {
    Env env{{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
            {"HOME", own_variable("HOME")},
            {"SHELL", "/bin/sh"},
            {"LANG", "C.UTF-8"}};
    if (const passwd* who = getpwuid(geteuid())) {
        env["USER"] = env["LOGNAME"] = who->pw_name;
        if (env["HOME"].empty()) env["HOME"] = who->pw_dir;
        if (!is_no_shell(who->pw_shell)) env["SHELL"] = who->pw_shell;
    }
    if (env["HOME"].empty()) env["HOME"] = "/";
    return env;
}

Env base_env(const std::string& url) {
    static const Env of_user = env_of_user();
    Env env = of_user;
    if (!url.empty()) env["JOBQ_URL"] = url;
    return env;
}

void overlay(Env& env, const Env& more) {
    for (const auto& [name, value] : more)
        env[name] = value;
}

void set_job_env(Env& env, const TakenJob& job) {
    env["JOBQ_JID"] = job.jid;
    env["JOBQ_TYPE"] = job.type;
    env["JOBQ_QUEUE"] = job.queue;
    env["JOBQ_ATTEMPT"] = std::to_string(job.attempt);
    env["JOBQ_MAX_ATTEMPTS"] = std::to_string(job.max_attempts);
    env["JOBQ_DEADLINE"] = job.deadline;
    env["JOBQ_TRACEPARENT"] = job.traceparent;
}

std::vector<std::string> flat(const Env& env) {
    std::vector<std::string> out;
    out.reserve(env.size());
    for (const auto& [name, value] : env)
        out.push_back(name + "=" + value);
    return out;
}

void add_limit(SpawnPlan& plan, int resource, int64_t value) {
    if (value <= 0) return;
    auto limit = rlim_t(value);
    plan.limits.push_back({resource, limit, limit});
}

void set_limits(SpawnPlan& plan, const ExecLimits& limits, int umask) {
    plan.umask = umask;
    plan.oom_score_adj = kJobOomScore;
    plan.adopts = true;  // what belongs to the job stays below its first process
    plan.nice = limits.nice;
    plan.limits.push_back({RLIMIT_CORE, 0, 0});
    add_limit(plan, RLIMIT_AS, limits.memory_bytes);
    add_limit(plan, RLIMIT_CPU, limits.cpu_s);
    add_limit(plan, RLIMIT_NOFILE, limits.files);
    add_limit(plan, RLIMIT_NPROC, limits.processes);
}

std::vector<std::string> fill_template(const TypeSpec& type, const std::string& payload) {
    std::vector<std::string> argv = type.run;
    for (auto& argument : argv)
        if (argument == kPayloadArgument) argument = payload;
    return argv;
}

}  // namespace

Result<Launch> launch_of(const TakenJob& job, const TypeSpec* type, bool run_allowed,
                         const std::string& url) {
    Launch out;
    Env env = base_env(url);
    if (type != nullptr) {
        overlay(env, type->env);
        out.plan.cwd = type->cwd;
        set_limits(out.plan, type->limits, type->umask);
    } else {
        set_limits(out.plan, {}, kJobUmask);
    }
    if (type != nullptr && !type->run.empty()) {
        out.plan.argv = fill_template(*type, job.payload);
        out.standard_input = job.payload;
    } else if (job.type == kCommandType) {
        if (!run_allowed) {
            return fail(ErrorCode::forbidden,
                        "commands are not allowed here; to run jobs of type run, set allow = true "
                        "in [run] of the configuration");
        }
        auto request = read_run_request(job.payload);
        if (!request) return tl::unexpected<Error>(request.error());
        out.plan.argv = std::move(request->argv);
        overlay(env, request->env);
        out.standard_input = std::move(request->input);
        if (!request->cwd.empty()) out.plan.cwd = request->cwd;
        if (request->umask) out.plan.umask = request->umask;
    } else {
        return fail(ErrorCode::not_found, "no handler for type '" + job.type + "'; add [type." +
                                              job.type + "] run = [...] to the configuration");
    }
    set_job_env(env, job);
    out.plan.env = flat(env);
    return out;
}

Launch launch_child(const PoolSpec& pool, const std::string& url) {
    Launch out;
    Env env = base_env(url);
    overlay(env, pool.env);
    set_limits(out.plan, {}, kJobUmask);
    out.plan.argv = pool.run;
    out.plan.cwd = pool.cwd;
    out.plan.env = flat(env);
    return out;
}

}  // namespace jobq
