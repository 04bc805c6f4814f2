// DiskGuard: sees to it that the private Redis never meets a full disk. Redis ends when it can't
// write its append-only file, and again at its next write, so the room is watched before it is
// gone: below `low` bytes nothing more is taken in, and what runs is recorded in what is left. A
// file of the same size is held in reserve for the case that somebody else fills the disk.
//
//   normal --> full (no adds) --> the reserve given up --> no takes --> no writes at all
//      +------------+--- by itself, when there is room again
// Part of Storage. Must stay true: nothing is polled while nobody writes and there is room.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/async/reactor.h"
#include "core/store/storage_gate.h"

namespace jobq {

struct DiskSpace {
    int64_t size = 0, free = 0;  // of the file system, for us
};

class DiskGuard {
  public:
    struct Settings {
        std::string dir;            // its file system is watched
        std::string reserve_file;   // in the same
        int64_t reserve_bytes = 0;  // wanted; at most an eighth of the file system
        // How the room is found out: statvfs(), for tests something else.
        std::function<std::optional<DiskSpace>(const std::string& dir)> measure;
    };

    // Makes the reserve if there is room. Blocks for some milliseconds.
    DiskGuard(Reactor& reactor, Settings settings);

    std::optional<Error> refuse(ScriptKind kind, size_t bytes);

    void answered(size_t bytes) { pending_bytes_ -= int64_t(bytes); }

    // Redis ended as it could not write: whatever the figures say, the disk is full.
    void redis_hit_the_end();
    // Measures, and changes the state if need be.
    void look();

    bool full() const { return full_; }

    std::string text() const;

    int64_t free() const { return space_.free; }

    // The room that a rewrite of the append-only file must leave.
    int64_t to_leave() const { return full_ ? kFloorBytes : 2 * low_; }

    void fill_in(StorageStatus& status) const;

    static constexpr int64_t kFloorBytes = 64 << 10;  // below this nothing is written

  private:
    void measure();
    bool make_reserve();
    void give_up_reserve();

    bool short_of(int64_t bytes) const { return !reserve_held_ && space_.free < bytes; }

    Reactor& reactor_;
    Settings settings_;
    DiskSpace space_;
    int64_t low_ = 0;
    int64_t heal_at_ = 0;        // so much free space ends the state full
    int64_t pending_bytes_ = 0;  // of adds that are on their way
    int64_t new_bytes_ = 0;      // added since the last look
    int64_t measured_ms_ = 0;
    int64_t hit_ms_ = 0;  // when Redis ended for it, whatever the figures say; 0: it did not
    bool full_ = false, reserve_held_ = false;
    bool blind_ = false;  // the file system does not say
};

// "12.5 MiB"
std::string size_in_words(int64_t bytes);

}  // namespace jobq
