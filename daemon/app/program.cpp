// The modes of jobqd: the daemon, its runner, and the looks at a configuration.
#include "daemon/app/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/protocol/password.h"
#include "daemon/app/app.h"
#include "daemon/app/own_program.h"
#include "daemon/app/traces.h"
#include "daemon/app/webhooks_part.h"
#include "daemon/observe/log.h"
#include "daemon/runner/runner.h"
#include "daemon/server/door.h"

namespace jobq {
namespace {

// The program's file, which may be a newer one by now, with the same arguments in the same process.
int run_again(const Options& options) {
    std::vector<char*> argv;
    for (const auto& word : options.argv)
        argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const std::string program = own_program();
    execv(program.c_str(), argv.data());
    std::fprintf(stderr, "jobqd: restart failed: can't run %s: %s\n", program.c_str(),
                 std::strerror(errno));
    return info(ErrorCode::internal).exit_status;
}

int serve(const Options& options, Loaded loaded) {
    umask(0077);
    auto places = make_places(loaded.config);
    if (!places) {
        std::fprintf(stderr, "jobqd: %s\n", places.error().text.c_str());
        return info(places.error().code).exit_status;
    }
    expand_places(loaded.config, *places);
    int status = 0;
    bool restarts = false;
    {
        UvReactor reactor;
        App app(reactor, options, std::move(loaded), *places);
        spawn(app.run());
        reactor.run();
        status = app.exit_status();
        restarts = app.restarts();
    }
    return restarts ? run_again(options) : status;
}

int run_as_runner(const Options& options) {
    log_open(options.log_level.empty() ? "info" : options.log_level, options.log_format == "json");
    RunnerOptions runner;
    auto endpoint = parse_endpoint(options.runner_connect);
    if (!endpoint) {
        std::fprintf(stderr, "jobqd runner: %s\n", endpoint.error().text.c_str());
        return info(endpoint.error().code).exit_status;
    }
    if (!options.work.queues.empty()) {
        WorkOptions work = options.work;
        work.endpoint = endpoint->text();
        work.name = options.runner_name;
        work.own_daemon = options.runner_own_daemon;
        work.stop_timeout_ms = options.runner_stop_timeout_ms;
        return run_work(work);
    }
    runner.endpoint = endpoint->text();
    auto variables = environment();
    bool local = !endpoint->unix_path.empty();
    auto password = password_from_variable(local ? "" : variables["JOBQ_PASSWORD"]);
    if (!password) {
        std::fprintf(stderr, "jobqd runner: JOBQ_PASSWORD: %s\n", password.error().text.c_str());
        return info(ErrorCode::config).exit_status;
    }
    runner.password = *password;
    runner.ca_file = variables["JOBQ_CA_FILE"];
    runner.own_daemon = !options.runner_any_daemon;
    runner.name = options.runner_name;
    runner.stop_timeout_ms = options.runner_stop_timeout_ms;
    return run_runner(runner);
}

// Valid as far as it goes: also what it names outside of it.
int check_config(const Loaded& loaded) {
    auto door = Door::make(loaded.config.listen, 0);
    auto keys = read_webhook_keys(loaded.config.webhook);
    std::string remark;
    auto headers = read_trace_headers(loaded.config.trace, remark);
    if (!door || !keys || !headers) {
        const Error& error = !door ? door.error() : !keys ? keys.error() : headers.error();
        std::fprintf(stderr, "%s\n", error.text.c_str());
        return info(ErrorCode::config).exit_status;
    }
    std::fprintf(stderr, "the configuration is valid (%zu files read)\n", loaded.files.size());
    return 0;
}

}  // namespace

int run_daemon(const Options& options) {
    if (options.mode == Options::Mode::runner) return run_as_runner(options);
    Loaded loaded = load_for(options);
    for (const auto& error : loaded.errors)
        std::fprintf(stderr, "%s\n", error.to_string().c_str());
    if (!loaded.errors.empty()) {
        if (options.mode != Options::Mode::check_config)
            std::fprintf(stderr, "jobqd: can't start: the configuration has %zu error%s\n",
                         loaded.errors.size(), loaded.errors.size() == 1 ? "" : "s");
        return info(ErrorCode::config).exit_status;
    }
    if (options.mode != Options::Mode::serve)
        for (const auto& warning : loaded.warnings)
            std::fprintf(stderr, "warning: %s\n", warning.to_string().c_str());
    if (options.mode == Options::Mode::check_config) return check_config(loaded);
    if (options.mode == Options::Mode::print_config) {
        std::fputs(print_config(loaded).c_str(), stdout);
        return 0;
    }
    log_open(loaded.config.log.level,
             loaded.config.log.format.value_or(LogFormat::text) == LogFormat::json);
    for (const auto& warning : loaded.warnings)
        log(LogLevel::warn, "config.warning", warning.to_string());
    return serve(options, std::move(loaded));
}

}  // namespace jobq
