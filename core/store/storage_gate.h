// StorageGate: who may write to the store now. RedisStore asks it before each script; the daemon
// answers by the room on the disk and in Redis's memory, and keeps what Redis itself refuses. Must
// stay true: what is refused here was never sent, so a refusal is definite.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/error.h"

namespace jobq {

struct RedisError;  // core/store/link/redis_errors.h

// Refused in this order, latest first, when room runs out.
enum class ScriptKind : uint8_t {
    reads,
    moves,  // ends attempts, and all else that makes no job and starts none
    takes,  // starts attempts
    adds,   // stores jobs or batches
};

// How a script that was sent came back.
struct ScriptAnswer {
    ScriptKind kind = ScriptKind::reads;
    size_t bytes = 0;
    std::string_view script{};          // its name
    bool heard = false;                 // else the link was lost, or never there
    const RedisError* error = nullptr;  // what Redis refused it for
    std::string_view text{};            // its words
};

// What `jobq stats` shows of it.
struct StorageStatus {
    bool full = false;
    bool starts_nothing = false;  // so full that running jobs need what is left
    std::string text;             // why and what to do; "" unless full
    bool refused = false;         // Redis answers and takes no writes
    std::string refused_reason;   // one word of core/store/link/redis_errors.cpp, "" unless refused
    std::string refused_text;     // why, for people
    std::string note;             // what had to be mended since the start, or ""
    std::string durability;       // what the store gives: fsync, everysec, memory or unknown
    std::string dir;              // "": the disk is not watched, and the next four are 0
    int64_t free_bytes = 0;
    int64_t wanted_bytes = 0;                    // less free space than this is full
    int64_t reserve_bytes = 0;                   // held in a file, 0 while it is given up
    int64_t log_bytes = 0;                       // the append-only file
    int64_t memory_bytes = 0, memory_limit = 0;  // of Redis; 0: not known, no limit

    std::string_view word() const { return refused ? "refused" : full ? "full" : "normal"; }

    const std::string& why() const { return refused ? refused_text : text; }
};

class StorageGate {
  public:
    virtual ~StorageGate() = default;
    // Why a script of that kind with so many bytes must not be sent.
    virtual std::optional<Error> refuse(ScriptKind kind, size_t bytes) = 0;
    // One that was not refused has its answer, or will never have one.
    virtual void answered(const ScriptAnswer& answer) = 0;
    virtual StorageStatus status() const = 0;
    // As StorageStatus::durability.
    virtual const std::string& durability() const = 0;
};

}  // namespace jobq
