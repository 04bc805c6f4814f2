// The configuration as plain structs, with the built-in defaults as initialisers. load.cpp fills
// them from TOML, check.cpp says what can't be meant. Key names are the member names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/job/decide.h"
#include "core/job/durability.h"

namespace jobq {

enum class PoolKind : uint8_t { exec, child, thread };
enum class LogFormat : uint8_t { text, json };

struct QueueWeight {
    std::string name;
    int weight = 1;

    bool operator==(const QueueWeight&) const = default;
};

struct ListenConfig {
    // Key `unix`. "": $XDG_RUNTIME_DIR/jobq.sock, or /run/jobq/jobq.sock for root.
    std::string unix_path;
    std::string tcp;   // HOST:PORT, "" off
    std::string http;  // HOST:PORT, unix:PATH, "" off
    // Names under which `http` is reached besides loopback's, with spaces between.
    std::string http_hosts;
    // Of pages that may change something besides jobqd's own: "https://jobs.example", spaces
    // between. Their hosts count as http_hosts.
    std::string http_origins;
    // Whose X-Forwarded-* are believed: addresses, networks, or "unix", spaces between.
    std::string http_proxies;
    std::string http_base_path;      // "/jobq" when it is reached below that; "": at "/"
    bool http_open_metrics = false;  // /metrics asks for no password and no host name
    bool http_read_only = false;     // HTTP changes nothing: no POST, no DELETE
    // Of `tcp`, and of `http` on TCP. The files are read when the daemon starts, and again at each
    // reload.
    std::string password_file;
    std::string tls_cert, tls_key;
    bool old_password_hash = true;  // let in clients of protocol versions 0 and 1
    std::string password;  // no key: JOBQ_PASSWORD's; instead of the file, and never printed
    int connections = limits::kConnections;

    bool has_password() const { return !password.empty() || !password_file.empty(); }
};

struct RedisConfig {
    std::string url;     // "" private; redis://[user:pw@]host:port[/db], unix:PATH
    std::string binary;  // "": redis-server, valkey-server, redis-check-rdb are looked up
    Durability durability = Durability::fsync;
    std::string name_space = "main";  // key `namespace`
    int64_t max_memory_bytes = 0;     // key `max_memory` (size); 0: none
    // Key `disk_reserve` (size): held back on the disk of the private Redis.
    int64_t disk_reserve_bytes = limits::kDiskReserveBytes;
};

// What a thread pool can run.
inline constexpr std::array<std::string_view, 4> kBuiltinTypes{"noop", "echo", "sleep", "fail"};

struct PoolConfig {
    std::string name;
    PoolKind kind = PoolKind::exec;
    std::vector<QueueWeight> queues{{"default", 1}};
    bool strict = true;  // queues given as an array: in this order; as a table: weighted
    int slots = 10;
    std::vector<std::string> run;  // child pools: what each child is
    // Jobs of which types it takes; none: of all it can run. Of a child pool that is any type.
    std::vector<std::string> types{};

    bool operator==(const PoolConfig&) const = default;
};

// [queue.NAME]. Limits on how many of its jobs run at once; 0: none.
struct QueueConfig {
    std::string name;
    int concurrency = 0;         // in all, over all workers of the store
    int worker_concurrency = 0;  // at one worker: a pool of jobqd, a remote or a Faktory worker

    bool operator==(const QueueConfig&) const = default;
};

struct ExecLimits {
    int64_t memory_bytes = 0;  // key `memory` (size); 0: none, for all of these
    int64_t cpu_s = 0;         // key `cpu` (duration)
    int64_t files = 0;
    int64_t processes = 0;
    std::optional<int> nice;

    bool operator==(const ExecLimits&) const = default;
};

struct TypeConfig {
    std::string name;
    std::vector<std::string> run;  // argv template; "{payload}" as a whole argument is replaced
    TypePolicy policy;             // keys max_attempts, backoff, timeout, retention
    int64_t grace_ms = limits::kKillGraceMs;  // key `grace`
    std::map<std::string, std::string> env;
    std::string cwd;
    std::string umask;  // octal; "": 022
    // Exit status -> success, failure ("retry" in the file), dead, snooze.
    std::map<int, Outcome> exit;
    size_t output_head_bytes = limits::kOutputHeadBytes;  // keys output_head, output_tail (sizes)
    size_t output_tail_bytes = limits::kOutputTailBytes;
    // Key `output` (size): of each stream of an attempt; more than the least: in a file.
    size_t output_bytes = limits::kOutputKeptBytes;
    ExecLimits limits;
    std::string webhook;  // URL that is told of the end of each job of this type
};

// [webhook]. Off while both lists are empty. policy has the keys timeout, max_attempts, backoff.
struct WebhookConfig {
    // Hosts that may be told: "hooks.example.com", "host:8443", "http://host". Of the second list
    // the addresses may be private ones.
    std::vector<std::string> allow, allow_private;
    std::string secret_file;  // one secret a line: whsec_ and base64
    std::string ca_file;      // whom to trust with https, PEM; "": the system's authorities
    std::vector<std::string> events{"succeeded", "dead", "dropped", "cancelled", "expired"};
    TypePolicy policy{limits::kWebhookAttempts, Backoff{5'000, 3.0, 6 * 3'600'000, 0.2},
                      limits::kHttpSendMs, limits::kRetentionMs};

    bool enabled() const { return !allow.empty() || !allow_private.empty(); }
};

struct LogConfig {
    std::string level = "info";       // debug info warn error
    std::optional<LogFormat> format;  // absent: text
};

struct TraceConfig {
    std::string endpoint;  // http://HOST:PORT of a collector; "": no traces are made
    std::string headers_file;
    std::string ca_file;      // whom to trust with https, PEM; "": the system's authorities
    double sample_ratio = 1;  // of the traces that begin at jobqd
    std::string service_name = "jobqd";

    bool operator==(const TraceConfig&) const = default;
};

struct Config {
    ListenConfig listen;
    RedisConfig redis;
    std::string state_dir;  // "": $XDG_STATE_HOME/jobq, or /var/lib/jobq for root
    int64_t stop_timeout_ms = limits::kStopTimeoutMs;  // key `stop_timeout`
    bool allow_run = false;                            // [run] allow
    bool allow_flush = false;                          // [server] allow_flush
    // [server] worker_timeout: a Faktory worker that sends no BEAT for so long is cut off;
    // reserve_min: the shortest lease of a fetched job, whatever its reserve_for.
    int64_t worker_timeout_ms = limits::kFaktoryBeatDeadMs;
    int64_t reserve_min_ms = limits::kReserveMinS * 1000;
    int64_t output_quota_bytes = limits::kOutputQuotaBytes;  // [server] output_quota (size)
    bool release_on_death = false;  // what a dead Faktory worker holds goes back to its queue
    bool runner = true;             // [runner] start: jobqd starts the runner itself
    bool keep_runner = false;       // [runner] keep: it outlives an orderly stop of jobqd
    LogConfig log;
    TraceConfig trace;
    WebhookConfig webhook;
    std::map<std::string, PoolConfig> pools;    // [pool.NAME]
    std::map<std::string, TypeConfig> types;    // [type.NAME]
    std::map<std::string, QueueConfig> queues;  // [queue.NAME]
    bool dev = false;                           // --dev
};

// One thing wrong with a configuration, with its place.
struct ConfigError {
    std::string file;
    int line = 0, column = 0;  // 1-based; 0: the place is not in a file (a flag, the environment)
    std::string text;

    std::string to_string() const;  // "file:line:col: text"
};

struct Loaded {
    Config config;
    std::vector<ConfigError> errors;    // empty: usable
    std::vector<ConfigError> warnings;  // usable, and probably not what somebody meant
    std::vector<std::string> files;     // read, in order
    // "pool.default.slots" -> "file:line", "JOBQ_...", "flag"; absent: the default.
    std::map<std::string, std::string> origin;
};

// Files in order (later wins), then JOBQ_* of `environment` (JOBQ_LISTEN_TCP for listen.tcp), then
// `flags` ("listen.tcp" -> value). Collects every error, not only the first; unknown keys name the
// nearest known one.
Loaded load_config(const std::vector<std::string>& files,
                   const std::map<std::string, std::string>& environment,
                   const std::map<std::string, std::string>& flags = {});
// What load_config() does for text instead of files; for tests and --check-config of stdin.
Loaded load_config_text(const std::string& name, const std::string& toml);
// The files of product.md section 7 that exist, for a user or the system.
std::vector<std::string> default_config_files(
    bool system, const std::map<std::string, std::string>& environment);
// Every effective value, one "key = value  # origin" a line, TOML.
std::string print_config(const Loaded& loaded);
// Every key a configuration may have, with NAME for a free part: for docs, completion and tests.
const std::vector<std::string>& config_keys();

}  // namespace jobq
