// App: running, reloading and stopping. Starting is start.cpp.
#include "daemon/app.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/config/check.h"
#include "daemon/observe/log.h"
#include "daemon/server/assignment.h"

namespace jobq {

App::App(UvReactor& reactor, Options options, Loaded loaded, Places places)
    : reactor_(reactor),
      options_(std::move(options)),
      config_(std::make_shared<Config>(std::move(loaded.config))),
      places_(std::move(places)),
      stop_asked_(reactor),
      gate_(reactor),
      events_(reactor),
      workers_(reactor) {}

App::~App() {
    reactor_.on_turn({});
}

task<void> App::run() {
    watch_signals();
    auto started = co_await start();
    if (!started) {
        std::fprintf(stderr, "jobqd: %s\n", started.error().text.c_str());
        exit_status_ = info(started.error().code).exit_status;
    }
    while (started && !stopping_) {
        auto wait = stop_asked_.wait(-1);
        co_await wait;
    }
    co_await stop();
    reactor_.stop();
}

void App::watch_signals() {
    auto stop = [this] {
        restarts_ = false;  // who asks to stop means it, also the runner a restart was to leave
        if (stopping_ && runner_ && !config_->keep_runner) runner_->hurry();
        if (stopping_)
            for (auto& [name, pool] : pools_)
                pool->hurry();
        if (stopping_ && webhooks_) webhooks_->hurry();
        if (!stopping_) log(LogLevel::info, "daemon.stopping", "a second signal hurries it");
        stopping_ = true;
        stop_asked_.notify_all();
    };
    signals_.push_back(on_signal(reactor_, SIGTERM, stop));
    signals_.push_back(on_signal(reactor_, SIGINT, stop));
    signals_.push_back(on_signal(reactor_, SIGHUP, [this] {
        if (serving_) gate_.spawn(reload());
    }));
    signals_.push_back(on_signal(reactor_, SIGUSR2, [this] {
        if (serving_ && !stopping_) restart();
    }));
}

// What would not come up again goes on instead.
void App::restart() {
    const std::string program = own_program();
    std::string why;
    if (places_.throw_away) {
        why = "its directory goes with it (--dev)";
    } else if (access(program.c_str(), X_OK) != 0) {
        why = program + " can't be run: " + std::strerror(errno);
    } else if (auto loaded = load_for(options_); !loaded.errors.empty()) {
        why = "the configuration has errors: " + loaded.errors.front().to_string();
    }
    if (!why.empty()) {
        log(LogLevel::error, "daemon.not_restarted", why);
        return;
    }
    log(LogLevel::info, "daemon.restarting", "the runner and its jobs go on");
    restarts_ = stopping_ = true;
    stop_asked_.notify_all();
}

void App::on_link_state(LinkState state) {
    if (!context_ || stopping_) return;
    if (state == LinkState::ready) {
        gate_.spawn(reopen());
    } else if (context_->state == DaemonState::ready) {
        context_->state = DaemonState::store_down;
    }
}

// Redis is back, or new: its scripts are gone, its data is not. Until it is well, or away again.
task<void> App::reopen() {
    constexpr int64_t kAgainMs = 500;
    if (std::exchange(reopening_, true)) co_return;
    std::string told;
    bool opened = false;
    while (!opened && !stopping_ && link_->state() == LinkState::ready) {
        auto done = co_await store_->open();
        opened = done.has_value();
        if (opened) break;
        if (done.error().text != told) log(LogLevel::error, "store.not_opened", done.error().text);
        told = done.error().text;
        auto pause = stop_asked_.wait(kAgainMs);
        co_await pause;
    }
    reopening_ = false;
    if (!opened || stopping_) co_return;
    co_await storage_->learn_durability();
    if (context_->state == DaemonState::store_down) context_->state = DaemonState::ready;
    if (chores_) chores_->look_now();
    broker_->waiters().notify_all();
}

// Jobs that wait for a pool of before, where Redis refused it at the start or at a reload.
task<void> App::unpark() {
    auto unparked = co_await store_->unpark();
    unpark_again_ = !unparked && info(unparked.error().code).retryable;
    if (!unparked) log(LogLevel::warn, "config.unpark_failed", unparked.error().text);
    broker_->waiters().notify_all();
}

// For those who connect from now on; connections keep what they came in by.
Result<std::shared_ptr<const Door>> App::new_door(const Config& fresh) const {
    auto door = Door::make(fresh.listen, reactor_.wall_ms());
    if (!door) return door;
    for (const auto& remark : (*door)->remarks())
        log(LogLevel::warn, "config.remark", remark);
    // listen.tcp and listen.http themselves change with a restart only.
    for (const auto& address : {context_->tcp, context_->http}) {
        auto bound = split_address(address);
        if (bound && !is_loopback(bound->host) && !(*door)->is_locked())
            return fail(ErrorCode::config, "other hosts reach jobqd at " + address +
                                               ": without a password and TLS it must be restarted");
    }
    return door;
}

task<void> App::reload() {
    Loaded loaded = load_for(options_);
    if (!loaded.errors.empty()) {
        for (const auto& error : loaded.errors)
            log(LogLevel::error, "config.error", error.to_string());
        log(LogLevel::error, "config.kept", "the configuration has errors: the old one stays");
        co_return;
    }
    expand_places(loaded.config, places_);
    const Config& old = *config_;
    const Config& fresh = loaded.config;
    auto door = new_door(fresh);
    if (!door) {
        log(LogLevel::error, "config.error", door.error().text);
        log(LogLevel::error, "config.kept", "the old configuration, password and certificate stay");
        co_return;
    }
    auto webhooks = make_webhooks(fresh);
    if (!webhooks) {
        log(LogLevel::error, "config.error", webhooks.error().text);
        log(LogLevel::error, "config.kept", "the old configuration and webhook secrets stay");
        co_return;
    }
    std::string remark;
    if (auto headers = read_trace_headers(fresh.trace, remark); !headers) {
        log(LogLevel::error, "config.error", headers.error().text);
        log(LogLevel::error, "config.kept", "the old configuration stays");
        co_return;
    }
    context_->door = *door;
    bool fixed = old.listen.unix_path != fresh.listen.unix_path ||
                 old.listen.tcp != fresh.listen.tcp || old.listen.http != fresh.listen.http ||
                 old.redis.url != fresh.redis.url || old.state_dir != fresh.state_dir ||
                 old.redis.durability != fresh.redis.durability ||
                 old.redis.max_memory_bytes != fresh.redis.max_memory_bytes ||
                 old.redis.disk_reserve_bytes != fresh.redis.disk_reserve_bytes;
    if (fixed)
        log(LogLevel::warn, "config.needs_restart",
            "the addresses of [listen], redis and state_dir change with a restart only");
    std::vector<std::unique_ptr<ThreadPool>> leaving;
    for (auto it = pools_.begin(); it != pools_.end();) {
        auto now = fresh.pools.find(it->first);
        if (now != fresh.pools.end() && now->second == it->second->config()) {
            ++it;
            continue;
        }
        leaving.push_back(std::move(it->second));
        it = pools_.erase(it);
    }
    config_ = std::make_shared<Config>(std::move(loaded.config));
    broker_->set_config(config_);
    gate_.spawn(set_traces());
    ++context_->config_version;
    for (const auto& worker : workers_.all())
        worker->notice.notify_all();
    for (auto& pool : leaving)
        co_await pool->stop(config_->stop_timeout_ms);
    make_pools();
    if (!runner_ && needs_runner(*config_)) start_runner();
    co_await unpark();
    log(LogLevel::info, "config.reloaded", "",
        {{"pools", int64_t(config_->pools.size())}, {"types", int64_t(config_->types.size())}});
}

task<void> App::stop() {
    stopping_ = true;
    int64_t limit = config_->stop_timeout_ms, until = reactor_.now_ms() + limit;
    if (context_) context_->state = DaemonState::stopping;
    if (http_) gate_.spawn(http_->stop());
    if (broker_) broker_->waiters().notify_all();  // those that wait for jobs see the state
    // Both kinds of local pools at once: they share the time limit. The runner is told by a signal
    // alone; a notice beside it would be the second stop, which hurries. The socket stays open for
    // it: its last reports may need a new connection.
    if (runner_ && (restarts_ || config_->keep_runner)) {
        runner_->leave();
    } else if (runner_) {
        gate_.spawn(runner_->stop());
    }
    if (operations_) gate_.spawn(operations_->stop());
    for (auto& [name, pool] : pools_)
        gate_.spawn(pool->stop(limit));
    if (webhooks_) gate_.spawn(webhooks_->stop(limit));
    co_await gate_.close();
    http_.reset();
    if (server_) server_->stop_listening();
    if (watchdog_) co_await watchdog_->stop();
    if (live_) co_await live_->stop();
    if (sampler_) co_await sampler_->stop();
    if (chores_) co_await chores_->stop();
    if (broker_)
        co_await broker_->kept_ends().stop(std::max<int64_t>(0, until - reactor_.now_ms()));
    if (context_ && context_->plain > 0) co_await sleep_for(reactor_, limits::kLastWordsMs);
    if (server_) co_await server_->stop();
    if (traces_) co_await traces_->stop();
    processes_.clear();
    if (hints_) co_await hints_->stop();
    if (link_) co_await link_->stop();
    if (storage_) co_await storage_->stop();
    if (private_redis_) co_await private_redis_->stop();
    pools_.clear();
    webhooks_.reset();
    std::error_code ignored;
    std::filesystem::remove(places_.state_dir + "/jobqd.ready", ignored);
    if (!places_.dev_link.empty() && serving_) std::filesystem::remove(places_.dev_link, ignored);
    if (places_.throw_away) std::filesystem::remove_all(places_.state_dir, ignored);
    if (restarts_) {
        hold(signals_);
        co_await sleep_for(reactor_, 1);  // what came before has its say
    }
    runner_.reset();
    if (restarts_) {
        signals_.clear();
    } else {
        ignore_from_now(std::move(signals_));
    }
    if (serving_) log(LogLevel::info, "daemon.stopped", "");
    log_flush();
}

// Where a type's jobs wait when the pool that met them can't run them.
char App::class_of(const std::string& type) const {
    auto configured = config_->types.find(type);
    bool command = configured != config_->types.end() && !configured->second.run.empty();
    if (command || (type == "run" && config_->allow_run)) return kParkRunner;
    return builtin(type) ? kParkThread : kParkOthers;
}

bool App::runs(const std::string& type, const std::string& queue) const {
    if (type == kWebhookType) return webhooks_ != nullptr;
    char park = class_of(type);
    for (const auto& [name, pool] : config_->pools) {
        bool serves = false;
        for (const auto& served : pool.queues)
            serves = serves || served.name == queue;
        if (!serves) continue;
        if (pool.kind == PoolKind::child) return true;
        if (pool.kind == PoolKind::exec && park == kParkRunner) return true;
        if (pool.kind == PoolKind::thread && park == kParkThread) return true;
    }
    return false;
}

std::vector<PoolStatus> App::pool_statuses() const {
    std::vector<PoolStatus> statuses;
    std::map<std::string, int> busy;
    for (const auto& [jid, running] : broker_->all_running())
        ++busy[running.worker];
    for (const auto& [name, pool] : config_->pools) {
        PoolStatus status;
        status.name = name;
        status.kind = pool.kind == PoolKind::thread  ? "thread"
                      : pool.kind == PoolKind::child ? "child"
                                                     : "exec";
        status.slots = pool.slots;
        status.busy = busy[name];
        for (const auto& queue : pool.queues)
            status.queues.push_back(queue.name);
        statuses.push_back(std::move(status));
    }
    return statuses;
}

}  // namespace jobq
