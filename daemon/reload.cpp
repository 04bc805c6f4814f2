// App: a reload of the configuration. One at a time: what is asked meanwhile comes after it, and a
// stop that comes meanwhile is all there is from then on.
//
// Must stay true: after each wait it is looked whether jobqd stops, and then nothing is made any
// more; each pool is in pools_ or in leaving_ until its end, so that the stop knows of all.
#include <utility>

#include "core/async/contain.h"
#include "core/async/gate.h"
#include "core/net/endpoint.h"
#include "daemon/app.h"
#include "daemon/observe/log.h"
#include "daemon/server/assignment.h"

namespace jobq {

// One that is asked for before jobqd serves is done then.
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

// For those who connect from now on; connections keep what they came in by.
Result<std::shared_ptr<const Door>> App::new_door(const Config& fresh) const {
    auto door = Door::make(fresh.listen, reactor_.wall_ms());
    if (!door) return door;
    for (const auto& remark : (*door)->remarks())
        log(LogLevel::warn, "config.remark", remark);
    // listen.tcp and listen.http themselves change with a restart only.
    for (const auto& address : {context_->tcp, context_->http}) {
        auto bound = parse_listen(address);
        if (bound && !is_loopback(bound->host) && !(*door)->is_locked())
            return fail(
                ErrorCode::config,
                "other hosts can reach jobqd at " + address +
                    "; to remove the password or TLS, change the address and restart jobqd");
    }
    return door;
}

// What the configuration names outside of it: read before anything of it counts.
Result<> App::take_outside(const Config& fresh) {
    auto door = new_door(fresh);
    if (!door) return tl::unexpected<Error>(door.error());
    std::string remark;
    auto headers = read_trace_headers(fresh.trace, remark);
    if (!headers) return tl::unexpected<Error>(headers.error());
    auto webhooks = make_webhooks(fresh);
    if (!webhooks) return webhooks;
    context_->door = *door;
    return {};
}

task<void> App::reload() {
    Loaded loaded = load_for(options_);
    if (!loaded.errors.empty()) {
        for (const auto& error : loaded.errors)
            log(LogLevel::error, "config.error", error.to_string());
        log(LogLevel::error, "config.kept",
            "the configuration has errors; the old one stays in force");
        co_return;
    }
    expand_places(loaded.config, places_);
    const Config& fresh = loaded.config;
    if (auto taken = take_outside(fresh); !taken) {
        log(LogLevel::error, "config.error", taken.error().text);
        log(LogLevel::error, "config.kept",
            "the old configuration stays in force, with its password, certificate and secrets");
        co_return;
    }
    const Config& old = *config_;
    bool fixed = old.listen.unix_path != fresh.listen.unix_path ||
                 old.listen.tcp != fresh.listen.tcp || old.listen.http != fresh.listen.http ||
                 old.redis.url != fresh.redis.url || old.state_dir != fresh.state_dir ||
                 old.redis.durability != fresh.redis.durability ||
                 old.redis.max_memory_bytes != fresh.redis.max_memory_bytes ||
                 old.redis.disk_reserve_bytes != fresh.redis.disk_reserve_bytes;
    if (fixed)
        log(LogLevel::warn, "config.needs_restart",
            "changes of the addresses in [listen], of [redis] and of state_dir take effect after a "
            "restart");
    config_ = std::make_shared<Config>(std::move(loaded.config));
    broker_->set_config(config_);
    gate_.spawn(set_traces());
    ++context_->config_version;
    for (const auto& worker : workers_.all())
        worker->notice.notify_all();
    broker_->waiters().notify_all();  // who waits may run other types now
    co_await change_pools();
    if (stopping_) co_return;
    if (!runner_ && needs_runner(*config_)) start_runner();
    log(LogLevel::info, "config.reloaded", "",
        {{"pools", int64_t(config_->pools.size())}, {"types", int64_t(config_->types.size())}});
}

// Those that are no more, or others now, end all at once; the new ones start when they have.
task<void> App::change_pools() {
    for (auto it = pools_.begin(); it != pools_.end();) {
        auto now = config_->pools.find(it->first);
        if (now != config_->pools.end() && now->second == it->second->config()) {
            ++it;
            continue;
        }
        leaving_.push_back(std::move(it->second));
        it = pools_.erase(it);
    }
    Gate ends(reactor_);
    for (auto& pool : leaving_)
        ends.spawn(end_pool(pool, config_->stop_timeout_ms));
    co_await ends.close();
    leaving_.clear();
    if (!stopping_) make_pools();
}

task<void> App::end_pool(std::shared_ptr<ThreadPool> pool, int64_t limit_ms) {
    co_await pool->stop(limit_ms);
}

}  // namespace jobq
