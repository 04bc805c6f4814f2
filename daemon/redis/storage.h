// Storage: whether there is room for more, on the disk of the private Redis and in the memory of
// any, and whether Redis takes writes at all. Made by the app; asked by the store before each
// script (core/store/storage_gate.h).
//
// Must stay true: while nobody writes and there is room it does nothing. A write arms one timer of
// a second; a state that is full or refused keeps it going, until it has healed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "core/store/storage_gate.h"
#include "daemon/redis/aof_rewrite.h"
#include "daemon/redis/disk_guard.h"
#include "daemon/redis/link.h"
#include "daemon/redis/memory_guard.h"
#include "daemon/redis/write_refusals.h"

namespace jobq {

class Storage final : public StorageGate {
  public:
    struct Settings {
        std::string redis_dir;     // of a private Redis with an append-only file; else ""
        std::string reserve_file;  // on the same disk
        int64_t reserve_bytes = 0;
        std::string durability;  // of the private Redis; "": an external one is asked
        std::string probe_key;   // never there: to delete it asks whether Redis writes
    };

    Storage(UvReactor& reactor, Settings settings);
    ~Storage() override;

    // Called when it becomes full, and when it has room again, with the text for people.
    void on_change(std::function<void(bool full, const std::string& text)> fn) {
        on_change_ = std::move(fn);
    }

    // Called when Redis, which answers, refuses to write, and when it writes again; again when the
    // reason is another.
    void on_refused(std::function<void(bool refused, const std::string& text)> fn) {
        on_refused_ = std::move(fn);
    }

    // Called when Redis goes on but refuses to write as its disk failed, though there is room.
    void on_cant_write(std::function<void()> fn) { on_cant_write_ = std::move(fn); }

    // Both before the first script is called; stop() before the link goes.
    void use(UvRedisLink& link) { link_ = &link; }

    task<void> stop();

    // What an external Redis gives, again at each connection to it.
    task<void> learn_durability();

    // For status(): something people should hear of.
    void note(const std::string& text) { note_ = text; }

    // The private Redis ended because it could not write.
    void redis_hit_the_end();

    std::optional<Error> refuse(ScriptKind kind, size_t bytes) override;
    void answered(const ScriptAnswer& answer) override;
    StorageStatus status() const override;

    const std::string& durability() const override { return durability_; }

  private:
    void touch();
    void tick();
    void ask_soon();
    task<void> ask_redis();
    task<void> consider_rewrite(RewriteCase now);
    RewriteCase rewrite_case() const;
    void tell();
    void tell_refused();
    task<void> probe();

    UvReactor& reactor_;
    Settings settings_;
    UvRedisLink* link_ = nullptr;
    std::unique_ptr<DiskGuard> disk_;
    MemoryGuard memory_;
    WriteRefusals refusals_;
    std::string durability_, note_, told_refused_;
    std::function<void(bool, const std::string&)> on_change_;
    std::function<void(bool, const std::string&)> on_refused_;
    std::function<void()> on_cant_write_;
    Gate gate_;
    TimerId timer_ = 0;
    AofSize file_;
    int64_t next_rewrite_ms_ = 0, learnt_ms_ = 0;
    bool told_full_ = false, told_no_room_ = false, told_evicts_ = false;
    bool asking_ = false, probing_ = false, stopping_ = false;
};

}  // namespace jobq
