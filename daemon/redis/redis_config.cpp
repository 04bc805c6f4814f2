// The settings of the private Redis and why they are so. Must stay true: no TCP port, no user but
// ours, and with durability fsync no reply before its bytes are on the disk.
#include "daemon/redis/redis_config.h"

#include "core/base/limits.h"

namespace jobq {
namespace {

// A value in Redis's quoting.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + "\"";
}

const char* fsync_of(Durability durability) {
    return durability == Durability::fsync ? "always" : "everysec";
}

// What jobq's scripts and links use, and no more: whoever gets hold of the socket can't read the
// configuration, load a module, or drop what is not jobq's. -@dangerous comes after the families,
// which hold some (SORT); INFO is dangerous only in that it tells about the host.
constexpr const char* kCommands =
    "-@all +@string +@hash +@list +@set +@sortedset -@dangerous -@blocking "
    "+del +unlink +rename +exists +type +scan +expire +pexpire +pexpireat +expireat +ttl +pttl "
    "+persist "
    "+eval +evalsha +script|load +script|exists +multi +exec +discard +time +dbsize +memory|usage "
    "+bgrewriteaof +ping +auth +select +hello +info +client|setname +client|getname +client|id "
    "+publish +subscribe +unsubscribe";

}  // namespace

std::string RedisConfigText::text() const {
    bool memory = durability == Durability::memory;
    std::string out =
        "daemonize no\nport 0\nprotected-mode no\ndatabases 1\nloglevel notice\nlogfile \"\"\n"
        "timeout 0\nsave \"\"\nstop-writes-on-bgsave-error no\n";
    out += "unixsocket " + quoted(socket_path) + "\nunixsocketperm 600\n";
    out += "dir " + quoted(dir) + "\n";
    out += "maxclients " + std::to_string(limits::kRedisClients) + "\n";
    // With a rewrite under way an acknowledged write must be as safe as without one. What a crash
    // leaves at the end is cut off before (aof_tail.h): Redis need not guess.
    if (memory) {
        out += "appendonly no\n";
    } else {
        out += "appendonly yes\nno-appendfsync-on-rewrite no\naof-load-truncated no\n";
        // Rewritten when jobqd says so, who looks for the room first (aof_rewrite.h).
        out += "auto-aof-rewrite-percentage 0\nrdbcompression no\n";
        out += std::string("appendfsync ") + fsync_of(durability) + "\n";
    }
    out += "maxmemory " + std::to_string(max_memory_bytes) + "\nmaxmemory-policy noeviction\n";
    // When memory runs out the rewriting child, which can be done again, goes first.
    out += "oom-score-adj relative\noom-score-adj-values 0 0 500\n";
    out += "latency-tracking no\nset-proc-title yes\n";
    // The one user is the default user. Redis replays transactions of its AOF with that user's
    // rights: with it switched off, 7.0 drops every MULTI ... EXEC at the next start without a
    // word, and each of our scripts is one.
    out += "user default on resetpass >" + password + " resetkeys ~jobq:* resetchannels &jobq:* " +
           kCommands + "\n";
    return out;
}

}  // namespace jobq
