#include "daemon/redis/storage.h"

#include "core/store/link/redis_errors.h"
#include "daemon/observe/log.h"
#include "daemon/redis/redis_durability.h"

namespace jobq {
namespace {

constexpr int64_t kTickMs = 1'000;
constexpr int64_t kRewriteEveryMs = 10'000;
constexpr int64_t kLearnMs = 10'000;  // somebody may change the settings of an external Redis

}  // namespace

Storage::Storage(UvReactor& reactor, Settings settings)
    : reactor_(reactor), settings_(std::move(settings)), gate_(reactor) {
    durability_ = settings_.durability.empty() ? "unknown" : settings_.durability;
    if (settings_.redis_dir.empty()) return;
    DiskGuard::Settings disk;
    disk.dir = settings_.redis_dir;
    disk.reserve_file = settings_.reserve_file;
    disk.reserve_bytes = settings_.reserve_bytes;
    disk_ = std::make_unique<DiskGuard>(reactor, std::move(disk));
    file_ = aof_size(settings_.redis_dir);
}

Storage::~Storage() {
    reactor_.cancel(timer_);
}

task<void> Storage::stop() {
    stopping_ = true;
    reactor_.cancel(std::exchange(timer_, 0));
    auto left = gate_.close();
    co_await left;
}

void Storage::touch() {
    if (timer_ != 0 || stopping_) return;
    timer_ = reactor_.after(kTickMs, [this] {
        timer_ = 0;
        tick();
    });
}

void Storage::tick() {
    if (disk_) {
        disk_->look();
        file_ = aof_size(settings_.redis_dir);
    }
    ask_soon();
    if (refusals_.any()) {
        touch();
        const bool ready = link_ && link_->state() == LinkState::ready;
        if (ready && !probing_ && !stopping_) gate_.spawn(probe());
    }
    tell();
}

// Once for each change.
void Storage::tell() {
    const bool full = (disk_ && disk_->full()) || memory_.full();
    if (full) touch();
    if (full == told_full_) return;
    told_full_ = full;
    if (on_change_) on_change_(full, full ? status().text : "");
}

// Once for each change and each reason.
void Storage::tell_refused() {
    if (refusals_.any()) touch();
    if (refusals_.reason() == told_refused_) return;
    told_refused_ = refusals_.reason();
    if (on_refused_) on_refused_(refusals_.any(), refusals_.text());
}

// What it deletes is not there: Redis says whether it would, and does nothing.
task<void> Storage::probe() {
    probing_ = true;
    Command write("DEL", settings_.probe_key);
    auto reply = co_await link_->call(std::move(write));
    probing_ = false;
    if (!reply || reply->is_error()) co_return;
    refusals_.written(reactor_.now_ms());
    tell_refused();
}

void Storage::redis_hit_the_end() {
    if (!disk_) return;
    disk_->redis_hit_the_end();
    tell();
}

std::optional<Error> Storage::refuse(ScriptKind kind, size_t bytes) {
    if (kind == ScriptKind::reads) return std::nullopt;
    touch();
    std::optional<Error> refused;
    if (disk_) refused = disk_->refuse(kind, bytes);
    if (!refused && kind == ScriptKind::adds) {
        refused = memory_.refuse(bytes);
        if (refused && disk_) disk_->answered(bytes);
        if (refused || memory_.uncertain()) ask_soon();
    }
    tell();
    return refused;
}

void Storage::answered(const ScriptAnswer& answer) {
    if (answer.kind == ScriptKind::adds && disk_) disk_->answered(answer.bytes);
    refusals_.take(answer, reactor_.now_ms());
    tell_refused();
    if (!answer.error || answer.error->code != ErrorCode::storage_full) return;
    const bool no_memory = answer.error->reason == "oom";
    if (no_memory) memory_.redis_refused();
    if (!no_memory && disk_) {
        disk_->look();
        if (!disk_->full() && on_cant_write_) on_cant_write_();
    }
    ask_soon();
    tell();
}

StorageStatus Storage::status() const {
    StorageStatus status;
    status.full = told_full_;
    status.durability = durability_;
    status.note = note_;
    status.refused = refusals_.any();
    status.refused_reason = refusals_.reason();
    status.refused_text = refusals_.text();
    if (disk_) disk_->fill_in(status);
    memory_.fill_in(status);
    status.log_bytes = file_.all;
    if (disk_ && disk_->full()) status.text = disk_->text();
    if (memory_.full()) status.text += (status.text.empty() ? "" : "; ") + memory_.text();
    return status;
}

// --- What Redis is asked for --------------------------------------------------------------------

void Storage::ask_soon() {
    if (asking_ || stopping_ || !link_ || link_->state() != LinkState::ready) return;
    asking_ = true;
    gate_.spawn(ask_redis());
}

task<void> Storage::learn_durability() {
    if (!settings_.durability.empty() || !link_) co_return;
    learnt_ms_ = reactor_.now_ms();
    auto now = co_await ask_durability(*link_);
    if (now == durability_) co_return;
    durability_ = std::move(now);
    log(LogLevel::info, "storage.durability",
        durability_ == "unknown" ? "Redis does not show its persistence settings to jobqd's user"
                                 : "",
        {{"durability", durability_}});
}

task<void> Storage::ask_redis() {
    Command ask("INFO", std::string_view("memory"));
    auto reply = co_await link_->call(std::move(ask));
    asking_ = false;
    if (!reply || reply->is_error() || stopping_) co_return;
    auto memory = parse_info_memory(reply->text);
    if (!memory) co_return;
    memory_.take(*memory);
    tell();
    if (memory->evicts && memory->limit > 0 && !std::exchange(told_evicts_, true))
        log(LogLevel::error, "storage.evicts",
            "Redis deletes keys, and thus jobs, when its memory is full; set its maxmemory-policy "
            "to noeviction");
    if (reactor_.now_ms() - learnt_ms_ >= kLearnMs) co_await learn_durability();
    if (!disk_) co_return;
    RewriteCase now = rewrite_case();
    now.data_bytes = memory->data;
    auto rewrite = consider_rewrite(now);
    co_await rewrite;
}

RewriteCase Storage::rewrite_case() const {
    RewriteCase now;
    now.file = file_;
    now.free_bytes = disk_->free();
    now.leave_bytes = disk_->to_leave();
    now.disk_full = disk_->full();
    return now;
}

task<void> Storage::consider_rewrite(RewriteCase now) {
    if (!wants_rewrite(now) || reactor_.now_ms() < next_rewrite_ms_) co_return;
    const bool room = has_room_for_rewrite(now);
    if (!room && !told_no_room_)
        log(LogLevel::warn, "storage.no_room_for_rewrite",
            "the append-only file has grown to " + size_in_words(now.file.all) +
                ", but a rewritten file without finished jobs, up to " +
                size_in_words(now.data_bytes) + ", does not fit beside it in " +
                settings_.redis_dir + "; free some space there, and jobqd rewrites the file");
    told_no_room_ = !room;
    if (!room) co_return;
    next_rewrite_ms_ = reactor_.now_ms() + kRewriteEveryMs;
    Command rewrite("BGREWRITEAOF");
    auto begun = co_await link_->call(std::move(rewrite));
    bool good = begun && !begun->is_error();
    log(LogLevel::debug, "storage.rewrite",
        good    ? ""
        : begun ? begun->text
                : begun.error().text,
        {{"file_bytes", now.file.all}, {"data_bytes", now.data_bytes}});
}

}  // namespace jobq
