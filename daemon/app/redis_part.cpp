#include "daemon/app/redis_part.h"

#include <cstdlib>
#include <utility>

#include "core/base/time.h"
#include "core/json/writer.h"
#include "core/net/redis_url.h"
#include "core/store/keys.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

// Without a sign of life: loading its data may take as long as it takes.
constexpr int64_t kRedisStartMs = 60'000, kExternalStartMs = 10'000;
constexpr int64_t kLoadingSaidMs = 10'000;

}  // namespace

RedisPart::RedisPart(UvReactor& reactor, const ConfigPtr& config, std::string state_dir,
                     Metrics& metrics, Events& events)
    : reactor_(reactor),
      config_(config),
      state_dir_(std::move(state_dir)),
      metrics_(metrics),
      events_(events) {}

std::string RedisPart::state_text() const {
    if (!link_) return "starting";
    std::string text(to_string(link_->state()));
    if (link_->state() != LinkState::ready) text += ": " + link_->trouble().text;
    return text;
}

StorageStatus RedisPart::storage() const {
    return storage_ ? storage_->status() : StorageStatus{};
}

Result<> RedisPart::prepare_private() {
    PrivateRedis::Settings settings;
    settings.state_dir = state_dir_;
    settings.binary = config_->redis.binary;
    settings.durability = config_->redis.durability;
    settings.max_memory_bytes = config_->redis.max_memory_bytes;
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) settings.runtime_dir = runtime;
    auto prepared = PrivateRedis::prepare(reactor_, std::move(settings));
    if (!prepared) return tl::unexpected<Error>(prepared.error());
    private_redis_ = std::move(*prepared);
    make_storage();
    private_redis_->on_state([this](RedisState state, const Error& trouble) {
        bool bad = state == RedisState::backing_off || state == RedisState::failed;
        log(bad ? LogLevel::error : LogLevel::debug, "redis.private", trouble.text,
            {{"state", std::string(to_string(state))}});
        if (bad && trouble.code == ErrorCode::storage_full) storage_->redis_hit_the_end();
        if (state == RedisState::running && link_) link_->try_now();
    });
    // From then on it says how far it is, also while it loads.
    private_redis_->on_spawn([this] {
        if (!std::exchange(link_started_, true)) link_->start();
        link_->try_now();
    });
    storage_->on_cant_write([this] {
        private_redis_->restart("it stopped writing after a disk error; a restart clears that");
    });
    private_redis_->on_mended([this](const std::string& text) {
        log(LogLevel::error, "redis.mended", text);
        storage_->note(text);
    });
    private_redis_->on_log([](char level, const std::string& line) {
        if (level == '#') log(LogLevel::debug, "redis.log", line);
    });
    return {};
}

void RedisPart::make_storage() {
    Storage::Settings settings;
    if (private_redis_) settings.durability = kDurabilityNames[size_t(config_->redis.durability)];
    if (private_redis_ && config_->redis.durability != Durability::memory) {
        settings.redis_dir = private_redis_->state_dir() + "/redis";
        settings.reserve_file = private_redis_->state_dir() + "/reserve";
        settings.reserve_bytes = config_->redis.disk_reserve_bytes;
    }
    settings.probe_key = Keys(config_->redis.name_space).of("probe");
    storage_ = std::make_unique<Storage>(reactor_, std::move(settings));
    storage_->on_change([this](bool full, const std::string& text) { room_changed(full, text); });
    storage_->on_refused(
        [this](bool refused, const std::string& text) { writes_changed(refused, text); });
}

void RedisPart::make_link(const RedisAddress& address) {
    UvRedisLink::Settings settings;
    settings.address = address;
    settings.probe_key = Keys(config_->redis.name_space).of("probe");
    auto& round_trips = metrics_.histogram(Metric::redis_round_trip);
    settings.on_round_trip = [&round_trips](int64_t us) { observe(round_trips, double(us) / 1e6); };
    link_ = std::make_unique<UvRedisLink>(reactor_, std::move(settings));
    link_->on_state(
        [this](LinkState state, const Error& trouble) { link_changed(state, trouble); });
    storage_->use(*link_);
}

void RedisPart::link_changed(LinkState state, const Error& trouble) {
    // prepare_private() logs the state of a private Redis.
    const bool told =
        !private_redis_ && !stopping_ && (state == LinkState::down || state == LinkState::ready);
    const LogLevel level = !told                       ? LogLevel::debug
                           : state == LinkState::ready ? LogLevel::info
                                                       : LogLevel::warn;
    log(level, "redis.link", trouble.text, {{"state", std::string(to_string(state))}});
    if (state == LinkState::loading) say_loading(trouble.text);
    if (state == LinkState::ready) loading_said_ms_ = 0;
    if (listener_ && !stopping_) listener_->link_changed(state);
}

// A big store takes minutes: who looks sees that it gets on.
void RedisPart::say_loading(const std::string& text) {
    if (private_redis_) private_redis_->note_life(link_->life_ms());
    const int64_t now = reactor_.now_ms();
    if (loading_said_ms_ != 0 && now - loading_said_ms_ < kLoadingSaidMs) return;
    loading_said_ms_ = now;
    log(LogLevel::info, "redis.loading", text);
}

void RedisPart::room_changed(bool full, const std::string& text) {
    const char* event = full ? "storage_full" : "storage_ok";
    log(full ? LogLevel::error : LogLevel::info, full ? "storage.full" : "storage.ok",
        full ? "new jobs are refused: " + text : "there is room again; new jobs are accepted");
    JsonWriter json;
    json.begin_object().field("time", format_rfc3339(reactor_.wall_ms())).field("event", event);
    json.field("text", text).end_object();
    events_.publish({event, json.take(), "", ""});
}

// While it lasts nothing is lost: what ended is kept by those who ran it.
void RedisPart::writes_changed(bool refused, const std::string& text) {
    if (stopping_) return;
    log(refused ? LogLevel::error : LogLevel::info,
        refused ? "redis.writes_refused" : "redis.writes_ok",
        refused ? text + "; new jobs are refused, and ends of jobs are kept and sent again"
                : "Redis accepts writes again");
    if (!refused && listener_) listener_->writes_again();
}

task<Result<>> RedisPart::start() {
    RedisAddress address;
    if (config_->redis.url.empty()) {
        auto prepared = prepare_private();
        if (!prepared) co_return prepared;
        address = private_redis_->address();
    } else {
        auto parsed = parse_redis_url(config_->redis.url);
        if (!parsed) co_return tl::unexpected<Error>(parsed.error());
        address = *parsed;
        make_storage();
    }
    make_link(address);
    if (private_redis_) {
        auto started = co_await private_redis_->start(kRedisStartMs);
        if (!started) co_return started;
    } else {
        link_started_ = true;
        link_->start();
    }
    int64_t limit = private_redis_ ? kRedisStartMs : kExternalStartMs;
    auto ready = co_await link_->wait_ready(limit);
    if (!ready && !private_redis_ && ready.error().code == ErrorCode::unavailable)
        co_return fail(ErrorCode::unavailable, "no answer from Redis at " + address.text() + ": " +
                                                   ready.error().text +
                                                   "; start it, or name another one with --redis");
    co_return ready;
}

// What a start waits for ends with them.
task<void> RedisPart::drain(Ending ending) {
    stopping_ = true;
    if (!ending.unstarted) co_return;
    Gate ends(reactor_);
    if (private_redis_) ends.spawn(private_redis_->stop());
    if (link_) ends.spawn(link_->stop());
    co_await ends.close();
}

task<void> RedisPart::stop(Ending) {
    stopping_ = true;
    if (link_) co_await link_->stop();
    if (storage_) co_await storage_->stop();
    if (private_redis_) co_await private_redis_->stop();
}

}  // namespace jobq
