#include "daemon/app/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/base/own_dir.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/version.h"
#include "core/net/url.h"

extern char** environ;

namespace jobq {
namespace {

void add_flags(CLI::App& app, Options& options) {
    app.add_option("--config", options.config_files, "Read FILE instead of the default places")
        ->type_name("FILE");
    app.add_flag("--dev", options.dev,
                 "Try jobqd: temporary state, a private Redis, loopback only, demo handlers");
    app.add_option("--state-dir", options.state_dir, "Keep the state and the private Redis in DIR")
        ->type_name("DIR");
    app.add_option("--unix", options.unix_path, "Listen on the Unix socket PATH")
        ->type_name("PATH");
    app.add_option("--tcp", options.tcp, "Also listen on HOST:PORT; port 0 picks a free one")
        ->type_name("HOST:PORT");
    app.add_option("--http", options.http, "Serve HTTP on HOST:PORT; port 0 picks a free one")
        ->type_name("HOST:PORT");
    app.add_option("--redis", options.redis, "Use this Redis instead of a private one")
        ->type_name("URL");
    app.add_option("--log-level", options.log_level, "debug, info, warn or error")
        ->type_name("LEVEL")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    app.add_option("--log-format", options.log_format, "text or json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
}

// `jobqd runner --queue ... -- COMMAND`: how `jobq work` calls it.
void add_work_options(CLI::App& runner, WorkOptions& work) {
    auto words = [&runner](const char* name, std::vector<std::string>& into, const char* help) {
        runner.add_option(name, into, help)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    words("--queue", work.queues, "NAME or NAME=WEIGHT; instead of jobqd's pools");
    words("--type", work.types, "Only jobs of this type");
    words("--env", work.env, "NAME=VALUE, or NAME to copy the current value");
    runner.add_option("--cwd", work.cwd, "The working directory of the command");
    runner.add_option("--slots", work.slots, "Jobs to run at once");
    runner.add_option("--max-jobs", work.max_jobs, "End after N jobs");
    runner.add_flag("--burst", work.burst, "End when the queues are empty");
    runner.add_flag("--verbose", work.verbose, "Print a line for each job");
    runner.add_flag("--silent", work.silent, "Print only problems");
    runner.add_flag("--jsonl", work.json, "Print JSON lines on standard output");
}

// Takes what follows "--" away: CLI11 shall not look into a command. How many words are left.
int cut_command(int argc, char** argv, WorkOptions& work) {
    if (argc < 2 || std::string_view(argv[1]) != "runner") return argc;
    for (int i = 2; i < argc; ++i) {
        if (std::string_view(argv[i]) != "--") continue;
        work.command.assign(argv + i + 1, argv + argc);
        return i;
    }
    return argc;
}

// The option nearest to one that does not exist.
std::string suggestion(const CLI::App& app, int argc, char** argv) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options())
        for (const auto& name : option->get_lnames())
            names.push_back("--" + name);
    std::vector<std::string_view> candidates(names.begin(), names.end());
    for (int i = 1; i < argc; ++i) {
        std::string_view word = argv[i];
        word = word.substr(0, word.find('='));
        bool known = std::find(candidates.begin(), candidates.end(), word) != candidates.end();
        if (word.substr(0, 2) != "--" || known) continue;
        std::string_view near = nearest(word, candidates);
        if (!near.empty()) return " Did you mean " + std::string(near) + "?";
    }
    return "";
}

std::string own_directory() {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0) return "";
    return std::filesystem::path(std::string(path, size_t(length))).parent_path();
}

// config/demo/jobqd.toml of the source tree the binary was built in, or of the installation.
std::string demo_config() {
    std::filesystem::path here = own_directory();
    for (const char* place : {"../../config/demo/jobqd.toml", "../share/jobq/demo/jobqd.toml",
                              "../../../config/demo/jobqd.toml"}) {
        std::error_code ignored;
        auto path = std::filesystem::weakly_canonical(here / place, ignored);
        if (std::filesystem::exists(path, ignored)) return path;
    }
    return "";
}

// Without a [pool] section the commands of the configured types run, from the queue "default". The
// built-in types have names that a client may use for jobs of its own: only --dev runs them
// unasked.
void add_default_pools(Config& config) {
    bool commands = config.allow_run;
    for (const auto& [name, type] : config.types)
        commands = commands || !type.run.empty();
    PoolConfig pool;
    if (config.dev) {
        pool.name = "threads";
        pool.kind = PoolKind::thread;
        config.pools[pool.name] = pool;
    }
    if (!commands) return;
    pool.name = "default";
    pool.kind = PoolKind::exec;
    config.pools[pool.name] = pool;
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
    ParsedOptions parsed;
    Options& options = parsed.options;
    options.argv.assign(argv, argv + argc);
    CLI::App app("jobqd - the daemon of jobq: accepts jobs, stores them in Redis and runs them",
                 "jobqd");
    app.footer("jobqd --dev starts a daemon to try. See jobqd(8) for details.");
    bool version = false, check = false, print = false;
    add_flags(app, options);
    app.add_flag("--check-config", check, "Print every error of the configuration and exit");
    app.add_flag("--print-config", print, "Print every value and where it comes from, and exit");
    app.add_flag("--version", version, "Print the version and exit");
    auto* runner = app.add_subcommand("runner", "Run jobs for a jobqd (started by jobqd)");
    runner
        ->add_option("--connect", options.runner_connect,
                     "unix:PATH, tcp://HOST:PORT or tcp+tls://HOST:PORT")
        ->required();
    runner->add_option("--name", options.runner_name, "Name of this runner")->required();
    auto* own =
        runner->add_flag("--own-daemon", options.runner_own_daemon,
                         "Accept only a jobqd of the same user or root (without --queue: always)");
    runner
        ->add_flag("--any-daemon", options.runner_any_daemon, "Also accept a jobqd of another user")
        ->excludes(own);
    std::string stop_timeout;
    runner->add_option("--stop-timeout", stop_timeout, "How long running jobs get after a stop");
    add_work_options(*runner, options.work);
    const int words = cut_command(argc, argv, options.work);
    app.require_subcommand(0, 1);
    try {
        app.parse(words, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) {
            parsed.exit_status = app.exit(error);  // --help
            return parsed;
        }
        std::fprintf(stderr, "jobqd: %s.%s\nTry: jobqd --help\n", error.what(),
                     suggestion(app, argc, argv).c_str());
        parsed.exit_status = info(ErrorCode::invalid).exit_status;
        return parsed;
    }
    if (version) {
        std::printf("jobqd %s\n", jobq::version().data());
        parsed.exit_status = 0;
    }
    if (check) options.mode = Options::Mode::check_config;
    if (print) options.mode = Options::Mode::print_config;
    if (runner->parsed()) options.mode = Options::Mode::runner;
    if (!stop_timeout.empty()) {
        auto limit = parse_duration_ms(stop_timeout);
        if (limit) options.runner_stop_timeout_ms = *limit;
    }
    return parsed;
}

void hide_passwords(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const auto [from, to] = login_span(argv[i]);
        std::fill(argv[i] + from, argv[i] + to, '*');
    }
}

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry && *entry; ++entry) {
        std::string_view text = *entry;
        size_t equals = text.find('=');
        if (equals != text.npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

Loaded load_for(const Options& options) {
    auto variables = environment();
    std::vector<std::string> files = options.config_files;
    bool dev_default = files.empty() && options.dev;
    if (dev_default) {
        std::string demo = demo_config();
        if (!demo.empty()) files.push_back(demo);
    } else if (files.empty()) {
        files = default_config_files(geteuid() == 0, variables);
    }
    std::map<std::string, std::string> flags;
    auto set = [&](const char* key, const std::string& value) {
        if (!value.empty()) flags[key] = value;
    };
    set("listen.unix", options.unix_path);
    set("listen.tcp", options.tcp);
    set("listen.http", options.http);
    set("redis.url", options.redis);
    set("state_dir", options.state_dir);
    set("log.level", options.log_level);
    set("log.format", options.log_format);
    Loaded loaded = load_config(files, variables, flags);
    Config& config = loaded.config;
    if (options.dev) {
        config.dev = true;
        config.allow_run = true;
        config.allow_flush = true;
        if (config.listen.http.empty()) config.listen.http = kDevHttp;
    }
    if (config.pools.empty()) add_default_pools(config);
    return loaded;
}

namespace {

// The directory that --dev makes its own in. Nobody named it: so there must be no doubt about it.
Result<std::string> dev_base() {
    const char* runtime = getenv("XDG_RUNTIME_DIR");
    const bool named = runtime && *runtime;
    std::string base = named ? runtime : "/tmp/jobq-" + std::to_string(geteuid());
    const std::string hint = named ? "; correct or unset XDG_RUNTIME_DIR"
                                   : "; remove it, or set XDG_RUNTIME_DIR to your own directory";
    auto dir = own_dir(base);
    if (!dir) return fail(ErrorCode::forbidden, dir.error().text + hint);
    if (!dir->doubt.empty())
        return fail(ErrorCode::forbidden, base + " is not safe to use: " + dir->doubt + hint);
    return dir->path;
}

Result<> make_state_dir(Places& places) {
    std::error_code failed;
    const auto parent = std::filesystem::path(places.state_dir).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, failed);
    Result<SafeDir> dir = own_dir(places.state_dir);
    if (dir && access(dir->path.c_str(), W_OK | X_OK) != 0)
        dir = fail(ErrorCode::forbidden, dir->path + ": " + std::strerror(errno));
    if (!dir)
        return fail(ErrorCode::forbidden, "can't use the state directory: " + dir.error().text +
                                              "; use another one with --state-dir");
    places.state_dir = std::move(dir->path);
    if (!dir->doubt.empty()) places.remarks.push_back("the state directory: " + dir->doubt);
    return {};
}

// A directory that another user owns is one where he can put his own socket behind the name.
Result<> make_socket_dir(Places& places) {
    std::error_code failed;
    auto parent = std::filesystem::path(places.unix_path).parent_path();
    if (parent.empty()) parent = ".";
    std::filesystem::create_directories(parent, failed);
    auto dir = safe_dir(parent, false);
    if (!dir)
        return fail(ErrorCode::forbidden, "can't listen on " + places.unix_path + ": " +
                                              dir.error().text + "; use another path with --unix");
    if (!dir->doubt.empty()) places.remarks.push_back("the socket: " + dir->doubt);
    return {};
}

Result<Places> dev_places(const Config& config) {
    Places places;
    std::string base;
    places.state_dir = config.state_dir;
    places.unix_path = config.listen.unix_path;
    if (places.state_dir.empty() || places.unix_path.empty()) {
        auto found = dev_base();
        if (!found) return tl::unexpected(found.error());
        base = *found;
    }
    if (places.state_dir.empty()) {
        std::string name = base + "/jobq-dev-XXXXXX";
        if (!mkdtemp(name.data()))
            return fail(ErrorCode::forbidden,
                        "can't create a directory in " + base + "; name one with --state-dir");
        places.state_dir = name;
        places.throw_away = true;
    }
    if (places.unix_path.empty()) {
        places.unix_path = places.state_dir + "/jobq.sock";
        places.dev_link = base + "/jobq-dev.sock";
    }
    return places;
}

Result<Places> usual_places(const Config& config) {
    Places places;
    bool root = geteuid() == 0;
    const char* home = getenv("HOME");
    const char* state = getenv("XDG_STATE_HOME");
    const char* runtime = getenv("XDG_RUNTIME_DIR");
    places.state_dir = config.state_dir;
    if (places.state_dir.empty() && root) places.state_dir = "/var/lib/jobq";
    if (places.state_dir.empty() && state && *state)
        places.state_dir = std::string(state) + "/jobq";
    if (places.state_dir.empty() && home && *home)
        places.state_dir = std::string(home) + "/.local/state/jobq";
    if (places.state_dir.empty())
        return fail(ErrorCode::config,
                    "there is no place for the state: HOME and XDG_STATE_HOME are not set; name "
                    "one with --state-dir");
    places.unix_path = config.listen.unix_path;
    if (places.unix_path.empty() && root) places.unix_path = "/run/jobq/jobq.sock";
    if (places.unix_path.empty() && runtime && *runtime)
        places.unix_path = std::string(runtime) + "/jobq.sock";
    if (places.unix_path.empty()) places.unix_path = places.state_dir + "/jobq.sock";
    return places;
}

}  // namespace

Result<Places> make_places(const Config& config) {
    auto places = config.dev ? dev_places(config) : usual_places(config);
    if (!places) return places;
    const std::string inside = places->state_dir + "/";
    auto made = make_state_dir(*places);
    if (made && places->unix_path.starts_with(inside))
        places->unix_path.replace(0, inside.size(), places->state_dir + "/");
    if (made) made = make_socket_dir(*places);
    if (!made) return tl::unexpected(made.error());
    return places;
}

void expand_places(Config& config, const Places& places) {
    auto expand = [&](std::string& text) {
        static constexpr std::string_view kMark = "{state_dir}";
        for (size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark))
            text.replace(at, kMark.size(), places.state_dir);
    };
    for (auto& [name, type] : config.types) {
        for (auto& [key, value] : type.env)
            expand(value);
        expand(type.cwd);
    }
}

}  // namespace jobq
