#include "daemon/app/app.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/async/contain.h"
#include "daemon/app/own_program.h"
#include "daemon/app/parts.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

// These count from the next start on.
bool needs_restart(const Config& old, const Config& fresh) {
    return old.listen.unix_path != fresh.listen.unix_path || old.listen.tcp != fresh.listen.tcp ||
           old.listen.http != fresh.listen.http || old.redis.url != fresh.redis.url ||
           old.state_dir != fresh.state_dir || old.redis.durability != fresh.redis.durability ||
           old.redis.max_memory_bytes != fresh.redis.max_memory_bytes ||
           old.redis.disk_reserve_bytes != fresh.redis.disk_reserve_bytes;
}

void log_kept(const std::string& error, const char* what_stays) {
    log(LogLevel::error, "config.error", error);
    log(LogLevel::error, "config.kept", what_stays);
}

}  // namespace

App::App(UvReactor& reactor, Options options, Loaded loaded, Places places)
    : reactor_(reactor),
      options_(std::move(options)),
      places_(std::move(places)),
      stop_asked_(reactor),
      gate_(reactor) {
    SignalCalls calls;
    calls.stop = [this] { ask_stop(); };
    calls.reload = [this] { ask_reload(); };
    calls.restart = [this] { ask_restart(); };
    calls.restarts = [this] { return restarts_; };
    parts_ = std::make_unique<Parts>(
        reactor, places_, std::make_shared<Config>(std::move(loaded.config)), std::move(calls));
    order_ = parts_->in_order();
}

App::~App() = default;

task<void> App::run() {
    gate_.spawn(start_up());
    while (!stopping_) {
        auto wait = stop_asked_.wait(-1);
        co_await wait;
    }
    co_await stop();
    reactor_.stop();
}

// --- Start --------------------------------------------------------------------------------------

// Beside run(), which hears meanwhile that all is to stop.
task<void> App::start_up() {
    auto started = co_await start();
    starting_ = false;
    serving_ = started.has_value();
    if (started && reload_asked_) ask_reload();
    if (started || stopping_) co_return;
    std::fprintf(stderr, "jobqd: %s\n", started.error().text.c_str());
    exit_status_ = info(started.error().code).exit_status;
    end();
}

task<Result<>> App::start() {
    for (Part* part : order_) {
        auto started = co_await part->start();
        if (!started) co_return started;
        if (stopping_) co_return fail(ErrorCode::cancelled, "jobqd is shutting down");
    }
    co_return Result<>{};
}

// --- Reload -------------------------------------------------------------------------------------

void App::ask_reload() {
    if (stopping_) return;
    reload_asked_ = true;
    if (!serving_ || reloading_) return;
    reloading_ = true;
    gate_.spawn(reload_all());
}

task<void> App::reload_all() {
    while (reload_asked_ && !stopping_) {
        reload_asked_ = false;
        caught one(reload());
        auto escaped = co_await one;
        if (escaped) tell_escape("task", "a reload", escaped);
    }
    reloading_ = false;
}

Result<> App::prepare(const Config& fresh) {
    for (Part* part : order_) {
        auto good = part->prepare(fresh);
        if (!good) return good;
    }
    return {};
}

task<void> App::reload() {
    Loaded loaded = load_for(options_);
    for (const auto& error : loaded.errors)
        log(LogLevel::error, "config.error", error.to_string());
    if (!loaded.errors.empty()) {
        log(LogLevel::error, "config.kept",
            "the configuration has errors; the old one stays in force");
        co_return;
    }
    expand_places(loaded.config, places_);
    if (auto good = prepare(loaded.config); !good) {
        log_kept(good.error().text,
                 "the old configuration stays in force, with its password, certificate and "
                 "secrets");
        co_return;
    }
    if (needs_restart(*parts_->config, loaded.config))
        log(LogLevel::warn, "config.needs_restart",
            "changes of the addresses in [listen], of [redis] and of state_dir take effect after a "
            "restart");
    parts_->config = std::make_shared<Config>(std::move(loaded.config));
    for (Part* part : order_) {
        co_await part->reload();
        if (stopping_) co_return;
    }
    const Config& now = *parts_->config;
    log(LogLevel::info, "config.reloaded", "",
        {{"pools", int64_t(now.pools.size())}, {"types", int64_t(now.types.size())}});
}

// --- Stop ---------------------------------------------------------------------------------------

void App::end() {
    stopping_ = true;
    stop_asked_.notify_all();
}

void App::ask_stop() {
    restarts_ = false;  // who asks to stop means it, also the runner a restart was to leave
    if (stopping_) {
        for (Part* part : order_)
            part->hurry();
        return;
    }
    log(LogLevel::info, "daemon.stopping",
        "shutting down; running jobs may finish, and a second signal stops them at once");
    end();
}

// What would not come up again goes on instead.
void App::ask_restart() {
    if (!serving_ || stopping_) return;
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
    restarts_ = true;
    end();
}

task<void> App::stop() {
    Ending ending;
    ending.until_ms = reactor_.now_ms() + parts_->config->stop_timeout_ms;
    ending.restarts = restarts_;
    ending.unstarted = starting_;
    parts_->status.state = DaemonState::stopping;
    for (auto part = order_.rbegin(); part != order_.rend(); ++part)
        gate_.spawn((*part)->drain(ending));
    co_await gate_.close();
    for (auto part = order_.rbegin(); part != order_.rend(); ++part)
        co_await (*part)->stop(ending);
    if (exit_status_ == 0) log(LogLevel::info, "daemon.stopped", "");
    log_flush();
}

}  // namespace jobq
