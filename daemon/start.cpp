// App: from nothing to ready, and the other modes of the program. Its Redis is start_redis.cpp.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/base/file.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/net/endpoint.h"
#include "core/protocol/json_writer.h"
#include "daemon/app.h"
#include "daemon/observe/log.h"
#include "daemon/runner/runner.h"
#include "daemon/server/assignment.h"

namespace jobq {
namespace {

// What TlsContext has read and found good before.
Result<HttpTls> read_http_tls(const ListenConfig& listen) {
    HttpTls tls;
    if (listen.tls_cert.empty()) return tls;
    constexpr size_t kPemBytes = 1 << 20;
    auto certificate = read_small_file(listen.tls_cert, kPemBytes);
    if (!certificate) return tl::unexpected<Error>(certificate.error());
    auto key = read_small_file(listen.tls_key, kPemBytes);
    if (!key) return tl::unexpected<Error>(key.error());
    tls.certificate = std::move(certificate->text);
    tls.key = std::move(key->text);
    return tls;
}

tl::unexpected<Error> given_up() {
    return fail(ErrorCode::cancelled, "jobqd is shutting down");
}

}  // namespace

std::string own_program() {
    std::error_code failed;
    std::string path = std::filesystem::read_symlink("/proc/self/exe", failed);
    constexpr std::string_view kReplaced = " (deleted)";
    if (path.ends_with(kReplaced) && access(path.c_str(), F_OK) != 0)
        path.resize(path.size() - kReplaced.size());
    return path;
}

task<Result<>> App::start() {
    make_metrics();
    auto made = open_door();
    if (!made) co_return made;
    for (const auto& remark : places_.remarks)
        log(LogLevel::warn, "config.remark", remark);
    auto redis = co_await start_redis();
    if (!redis) co_return redis;
    if (stopping_) co_return given_up();
    RedisStoreOptions store_options;
    store_options.publish_hints = !private_redis_;
    store_options.gate = storage_.get();
    store_options.on_batch = batch_sizes();
    Keys keys(config_->redis.name_space);
    std::string channel = keys.hint_channel();
    store_ = std::make_unique<RedisStore>(reactor_, *link_, std::move(keys), store_options);
    auto opened = co_await store_->open();
    if (!opened) co_return opened;
    if (stopping_) co_return given_up();
    broker_ = std::make_unique<Broker>(reactor_, *store_, events_, workers_, config_);
    broker_->set_storage(storage_.get());
    broker_->set_metrics(&job_metrics_);
    traces_ = std::make_unique<Traces>(reactor_, metrics_, node_id());
    auto traced = co_await traces_->set(config_->trace);
    if (!traced) co_return traced;
    if (stopping_) co_return given_up();
    broker_->set_tracer(traces_->tracer());
    co_await storage_->learn_durability();
    if (stopping_) co_return given_up();
    broker_->set_handler_known(
        [this](const std::string& type, const std::string& queue) { return runs(type, queue); });
    operations_ = std::make_unique<Operations>(reactor_, *broker_);
    context_ = std::make_unique<ServerContext>(make_context());
    if (needs_runner(*config_)) context_->runner_wid = "runner-" + node_id();
    co_await broker_->recover();
    if (stopping_) co_return given_up();
    chores_ = std::make_unique<Chores>(*broker_, !private_redis_);
    chores_->start();
    watchdog_ = std::make_unique<Watchdog>(reactor_, *broker_);
    sampler_ = std::make_unique<Sampler>(reactor_, *broker_);
    make_live();
    if (!config_->listen.http.empty()) sampler_->start();
    if (!private_redis_) {
        hints_ = std::make_unique<HintListener>(
            reactor_, parse_redis_url(config_->redis.url).value(), channel,
            [this](std::string queue) { broker_->hinted(queue); },
            [this] { broker_->waiters().notify_all(); });
        hints_->start();
    }
    server_ = std::make_unique<Server>(reactor_, *context_);
    auto listening = listen();
    if (!listening) co_return listening;
    make_pools();
    auto webhooks = make_webhooks(*config_);
    if (!webhooks) co_return webhooks;
    // The link may have dropped meanwhile; when it is back, reopen() says so.
    const bool reachable = link_->state() == LinkState::ready;
    context_->state = reachable ? DaemonState::ready : DaemonState::store_down;
    serving_ = true;
    if (needs_runner(*config_)) start_runner();
    write_ready_file();
    co_return Result<>{};
}

ServerContext App::make_context() {
    ServerContext context{reactor_, *broker_};
    context.started_ms = reactor_.now_ms();
    context.pid = getpid();
    context.state_dir = places_.state_dir;
    context.door = door_;
    context.operations = operations_.get();
    context.pools = [this] { return pool_statuses(); };
    context.redis_state = [this] {
        std::string text(to_string(link_->state()));
        if (link_->state() != LinkState::ready) text += ": " + link_->trouble().text;
        return text;
    };
    context.metrics = [this] { return metrics_text(); };
    context.watchdog_woke = [this] { return watchdog_ ? watchdog_->woken() : 0; };
    context.types_of = [this](const std::string& pool) { return types_of_pool(pool); };
    context.replaces_runner = [this] { return runner_ && runner_->is_outdated(); };
    context.watch_process = [this](std::shared_ptr<Worker> worker, int64_t pid) {
        watch_process(worker, pid);
    };
    return context;
}

Result<> App::open_door() {
    auto door = Door::make(config_->listen, reactor_.wall_ms());
    if (!door) return tl::unexpected<Error>(door.error());
    for (const auto& remark : (*door)->remarks())
        log(LogLevel::warn, "config.remark", remark);
    door_ = std::move(*door);
    return {};
}

Result<> App::listen() {
    Endpoint unix_end;
    unix_end.unix_path = places_.unix_path;
    auto unix_taken = server_->listen(unix_end);
    if (!unix_taken) return tl::unexpected<Error>(unix_taken.error());
    context_->unix_path = places_.unix_path;
    if (!config_->listen.tcp.empty()) {
        auto wanted = parse_tcp_listen(config_->listen.tcp);
        if (!wanted) return tl::unexpected<Error>(wanted.error());
        // The configuration is checked for this; a hole here would be wide.
        JOBQ_CHECK(is_loopback(wanted->host) || context_->door->is_locked());
        auto taken = server_->listen(*wanted);
        if (!taken) return tl::unexpected<Error>(taken.error());
        context_->tcp = taken->text().substr(sizeof "tcp://" - 1);
    }
    if (!config_->listen.http.empty()) {
        auto wanted = parse_listen(config_->listen.http);
        if (!wanted) return tl::unexpected<Error>(wanted.error());
        api_ = std::make_unique<Api>(*context_);
        auto tls = read_http_tls(config_->listen);
        if (!tls) return tl::unexpected<Error>(tls.error());
        JOBQ_CHECK(!wanted->unix_path.empty() || is_loopback(wanted->host) ||
                   context_->door->is_locked());
        auto server = HttpServer::listen(reactor_, *wanted, *api_, *tls);
        // Somebody has the usual port, perhaps another --dev: any other will do.
        if (!server && config_->dev && config_->listen.http == kDevHttp) {
            wanted->port = 0;
            server = HttpServer::listen(reactor_, *wanted, *api_, *tls);
        }
        if (!server) return tl::unexpected<Error>(server.error());
        http_ = std::move(*server);
        const Endpoint& taken = http_->endpoint();
        bool is_unix = !taken.unix_path.empty();
        context_->http = is_unix ? taken.text() : taken.text().substr(sizeof "tcp://" - 1);
    }
    return {};
}

// Who tries out a client of his own must not wonder where its jobs went.
static void tell_builtins(const PoolConfig& pool) {
    std::string types, queues;
    for (const auto& type : builtins_of(pool))
        types += (types.empty() ? "" : ", ") + type;
    for (const auto& queue : pool.queues)
        queues += (queues.empty() ? "" : ", ") + queue.name;
    log(LogLevel::info, "dev.builtins",
        "--dev runs jobs of the built-in types itself; use other types or other queues for your "
        "own jobs",
        {{"types", types}, {"queues", queues}});
}

void App::make_pools() {
    for (const auto& [name, pool] : config_->pools) {
        if (pool.kind != PoolKind::thread || pools_.count(name)) continue;
        auto made = std::make_unique<ThreadPool>(reactor_, *broker_, pool);
        made->start();
        if (config_->dev) tell_builtins(pool);
        pools_[name] = std::move(made);
    }
}

void App::write_ready_file() {
    JsonWriter json;
    json.begin_object().field("pid", context_->pid).field("version", version());
    json.field("unix", context_->unix_path).field("tcp", context_->tcp);
    json.field("http", context_->http).field("state_dir", places_.state_dir).end_object();
    std::string text = json.take();
    if (auto kept = write_small_file(places_.state_dir + "/jobqd.ready", text + "\n"); !kept)
        log(LogLevel::error, "state.not_kept", kept.error().text);
    if (!places_.dev_link.empty()) {
        std::string fresh = places_.dev_link + "." + std::to_string(getpid());
        unlink(fresh.c_str());
        if (symlink(places_.unix_path.c_str(), fresh.c_str()) == 0)
            std::rename(fresh.c_str(), places_.dev_link.c_str());
    }
    log_flush();
    std::fprintf(stderr, "jobqd: ready %s\n", text.c_str());
}

// "{state_dir}" in what types run with.
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

}  // namespace

int run_daemon(const Options& options) {
    if (options.mode == Options::Mode::runner) {
        log_open(options.log_level.empty() ? "info" : options.log_level,
                 options.log_format == "json");
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
            std::fprintf(stderr, "jobqd runner: JOBQ_PASSWORD: %s\n",
                         password.error().text.c_str());
            return info(ErrorCode::config).exit_status;
        }
        runner.password = *password;
        runner.ca_file = variables["JOBQ_CA_FILE"];
        runner.own_daemon = !options.runner_any_daemon;
        runner.name = options.runner_name;
        runner.stop_timeout_ms = options.runner_stop_timeout_ms;
        return run_runner(runner);
    }
    Loaded loaded = load_for(options);
    for (const auto& error : loaded.errors)
        std::fprintf(stderr, "%s\n", error.to_string().c_str());
    if (!loaded.errors.empty()) {
        if (options.mode != Options::Mode::check_config)
            std::fprintf(stderr, "jobqd: can't start: the configuration has %zu error%s\n",
                         loaded.errors.size(), loaded.errors.size() == 1 ? "" : "s");
        return info(ErrorCode::config).exit_status;
    }
    if (options.mode == Options::Mode::check_config) {
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
    if (options.mode == Options::Mode::print_config) {
        std::fputs(print_config(loaded).c_str(), stdout);
        return 0;
    }
    log_open(loaded.config.log.level,
             loaded.config.log.format.value_or(LogFormat::text) == LogFormat::json);
    return serve(options, std::move(loaded));
}

}  // namespace jobq
