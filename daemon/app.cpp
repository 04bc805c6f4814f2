// App: running, reloading and stopping. Starting is start.cpp.
#include "daemon/app.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
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
    on_escape({});
}

task<void> App::run() {
    watch_signals();
    gate_.spawn(start_up());
    while (!stopping_) {
        auto wait = stop_asked_.wait(-1);
        co_await wait;
    }
    co_await stop();
    reactor_.stop();
}

// Beside run(), which hears meanwhile that all is to stop.
task<void> App::start_up() {
    auto started = co_await start();
    starting_ = false;
    if (started && reload_asked_) ask_reload();
    if (started || stopping_) co_return;
    std::fprintf(stderr, "jobqd: %s\n", started.error().text.c_str());
    exit_status_ = info(started.error().code).exit_status;
    stopping_ = true;
    stop_asked_.notify_all();
}

void App::on_stop_signal() {
    restarts_ = false;  // who asks to stop means it, also the runner a restart was to leave
    if (!stopping_) {
        log(LogLevel::info, "daemon.stopping",
            "shutting down; running jobs may finish, and a second signal stops them at once");
        stopping_ = true;
        stop_asked_.notify_all();
        return;
    }
    if (runner_ && !config_->keep_runner) runner_->hurry();
    for (auto& [name, pool] : pools_)
        pool->hurry();
    for (auto& pool : leaving_)
        pool->hurry();
    if (webhooks_) webhooks_->hurry();
}

void App::watch_signals() {
    for (int number : {SIGTERM, SIGINT})
        signals_.push_back(on_signal(reactor_, number, [this] { on_stop_signal(); }));
    signals_.push_back(on_signal(reactor_, SIGHUP, [this] { ask_reload(); }));
    signals_.push_back(on_signal(reactor_, SIGUSR2, [this] {
        if (serving_ && !stopping_) restart();
    }));
}

// What would not come up again goes on instead.
void App::restart() {
    const std::string program = own_program();
    std::string why;
    if (places_.throw_away) {
        why = "the state directory of --dev is removed at the end";
    } else if (access(program.c_str(), X_OK) != 0) {
        why = program + " can't be run: " + std::strerror(errno);
    } else if (auto loaded = load_for(options_); !loaded.errors.empty()) {
        why = "the configuration has an error: " + loaded.errors.front().to_string();
    }
    if (!why.empty()) {
        log(LogLevel::error, "daemon.not_restarted", why);
        return;
    }
    log(LogLevel::info, "daemon.restarting", "restarting; the runner and its jobs keep running");
    restarts_ = stopping_ = true;
    stop_asked_.notify_all();
}

void App::on_link_state(LinkState state) {
    if (!context_ || stopping_) return;
    if (state == LinkState::ready) {
        if (!reopening_) gate_.spawn(reopen());
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
    if (hints_) hints_->renew();
    co_await storage_->learn_durability();
    if (link_->state() != LinkState::ready) co_return;  // it is done again when that is back
    if (context_->state == DaemonState::store_down) context_->state = DaemonState::ready;
    if (chores_) chores_->look_now();
    broker_->waiters().notify_all();
}

// What start() waits for ends now; what it would still make is not made.
void App::give_up_start() {
    find_left_runner();
    if (private_redis_) gate_.spawn(private_redis_->stop());
    if (link_) gate_.spawn(link_->stop());
}

task<void> App::stop() {
    stopping_ = true;
    int64_t limit = config_->stop_timeout_ms, until = reactor_.now_ms() + limit;
    if (context_) context_->state = DaemonState::stopping;
    if (starting_) give_up_start();
    if (http_) gate_.spawn(http_->stop());
    if (broker_) broker_->close_intake();
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
        gate_.spawn(end_pool(pool, limit));
    for (auto& pool : leaving_)
        gate_.spawn(end_pool(pool, limit));
    if (webhooks_) gate_.spawn(webhooks_->stop(limit));
    co_await gate_.close();
    co_await stop_parts(until);
    leave_files();
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
    if (exit_status_ == 0) log(LogLevel::info, "daemon.stopped", "");
    log_flush();
}

task<void> App::stop_parts(int64_t until) {
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
    leaving_.clear();
    webhooks_.reset();
}

void App::leave_files() {
    std::error_code ignored;
    std::filesystem::remove(places_.state_dir + "/jobqd.ready", ignored);
    if (!places_.dev_link.empty() && serving_) std::filesystem::remove(places_.dev_link, ignored);
    if (places_.throw_away) std::filesystem::remove_all(places_.state_dir, ignored);
}

Types App::types_of_pool(const std::string& name) {
    if (types_version_ != context_->config_version) {
        types_of_pools_.clear();
        types_version_ = context_->config_version;
    }
    auto known = types_of_pools_.find(name);
    if (known != types_of_pools_.end()) return known->second;
    auto configured = config_->pools.find(name);
    const PoolConfig pool = configured == config_->pools.end() ? PoolConfig{} : configured->second;
    return types_of_pools_[name] = types_run_by(pool, *config_);
}

bool App::runs(const std::string& type, const std::string& queue) const {
    if (type == kWebhookType) return webhooks_ != nullptr;
    if (type == kCommandType && !config_->allow_run) return false;
    for (const auto& [name, pool] : config_->pools) {
        bool serves = false;
        for (const auto& served : pool.queues)
            serves = serves || served.name == queue;
        if (serves && jobq::runs(types_run_by(pool, *config_), type)) return true;
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
        status.busy = std::min(busy[name], pool.slots);  // a thread pool takes some ahead
        for (const auto& queue : pool.queues)
            status.queues.push_back(queue.name);
        statuses.push_back(std::move(status));
    }
    return statuses;
}

}  // namespace jobq
