// Every key of the configuration with its type and range. To add one: a member in config.h, a line
// here, its entry in config/jobqd.toml and jobqd.toml(5); the tests name what is missing.
#include "core/config/visit.h"

#include <algorithm>

namespace jobq {
namespace {

constexpr int64_t kSecond = 1'000, kHour = 3'600'000, kDay = 24 * kHour;
constexpr int64_t kMiB = 1 << 20, kTiB = 1LL << 40;

void integer_of(Visitor& v, std::string_view key, int& field, Range range) {
    std::optional<int64_t> value = field;
    v.integer(key, value, range);
    field = int(value.value_or(field));
}

void optional_integer_of(Visitor& v, std::string_view key, std::optional<int>& field, Range range) {
    std::optional<int64_t> value;
    if (field) value = *field;
    v.integer(key, value, range);
    if (value) field = int(*value);
}

template <class Enum>
void choice_of(Visitor& v, std::string_view key, std::span<const std::string_view> names,
               Enum& field) {
    std::optional<size_t> index = size_t(field);
    v.choice(key, names, index);
    field = Enum(index.value_or(size_t(field)));
}

void size_of(Visitor& v, std::string_view key, size_t& field, Range range) {
    auto value = int64_t(field);
    v.size(key, value, range);
    field = size_t(value);
}

void visit_listen(ListenConfig& c, Visitor& v) {
    v.text("unix", c.unix_path, TextRule::socket_path);
    v.text("tcp", c.tcp, TextRule::address);
    v.text("http", c.http, TextRule::http_address);
    v.text("http_hosts", c.http_hosts, TextRule::host_names);
    v.text("http_origins", c.http_origins, TextRule::web_origins);
    v.text("http_proxies", c.http_proxies, TextRule::networks);
    v.text("http_base_path", c.http_base_path, TextRule::base_path);
    v.boolean("http_open_metrics", c.http_open_metrics);
    v.boolean("http_read_only", c.http_read_only);
    v.text("password_file", c.password_file, TextRule::path);
    v.text("tls_cert", c.tls_cert, TextRule::path);
    v.text("tls_key", c.tls_key, TextRule::path);
    v.boolean("old_password_hash", c.old_password_hash);
    integer_of(v, "connections", c.connections, {1, 1'000'000});
}

void visit_redis(RedisConfig& c, Visitor& v) {
    v.text("url", c.url, TextRule::redis_url);
    v.text("binary", c.binary, TextRule::program);
    choice_of(v, "durability", kDurabilityNames, c.durability);
    v.text("namespace", c.name_space, TextRule::name);
    v.size("max_memory", c.max_memory_bytes, {0, kTiB});
    v.size("disk_reserve", c.disk_reserve_bytes, {kMiB, kTiB});
}

void visit_log(LogConfig& c, Visitor& v) {
    auto at = std::find(kLogLevels.begin(), kLogLevels.end(), c.level);
    std::optional<size_t> level = size_t(at - kLogLevels.begin());
    v.choice("level", kLogLevels, level);
    c.level = kLogLevels[level.value_or(1)];
    std::optional<size_t> format;
    if (c.format) format = size_t(*c.format);
    v.choice("format", kLogFormatNames, format);
    if (format) c.format = LogFormat(*format);
}

void visit_trace(TraceConfig& c, Visitor& v) {
    v.text("endpoint", c.endpoint, TextRule::collector_url);
    v.text("headers_file", c.headers_file, TextRule::path);
    v.text("ca_file", c.ca_file, TextRule::path);
    v.number("sample_ratio", c.sample_ratio, 0, 1);
    v.text("service_name", c.service_name, TextRule::words);
}

void visit_pool(PoolConfig& c, Visitor& v) {
    choice_of(v, "kind", kPoolKindNames, c.kind);
    v.queues("queues", c.queues, c.strict);
    integer_of(v, "slots", c.slots, {1, 10'000});
    v.command("run", c.run);
    v.words("types", c.types, TextRule::words);
}

void visit_backoff(TypePolicy& policy, Visitor& v) {
    if (!v.enter("backoff", policy.backoff.has_value())) return;
    Backoff backoff = policy.backoff.value_or(Backoff{});
    v.duration("base", backoff.base_ms, {0, kDay});
    v.number("factor", backoff.factor, 1, 100);
    v.duration("max", backoff.max_ms, {0, 30 * kDay});
    v.number("jitter", backoff.jitter, 0, 1);
    policy.backoff = backoff;
    v.leave();
}

void visit_limits(ExecLimits& c, Visitor& v) {
    if (!v.enter("limits", c != ExecLimits{})) return;
    v.size("memory", c.memory_bytes, {0, 16 * kTiB});
    int64_t cpu_ms = c.cpu_s * kSecond;
    v.duration("cpu", cpu_ms, {0, 30 * kDay});
    c.cpu_s = (cpu_ms + kSecond - 1) / kSecond;
    std::optional<int64_t> files = c.files, processes = c.processes;
    v.integer("files", files, {0, 1'000'000});
    v.integer("processes", processes, {0, 1'000'000});
    c.files = files.value_or(0);
    c.processes = processes.value_or(0);
    optional_integer_of(v, "nice", c.nice, {-20, 19});
    v.leave();
}

void visit_type(TypeConfig& c, Visitor& v) {
    v.command("run", c.run);
    v.text("cwd", c.cwd, TextRule::path);
    v.text("umask", c.umask, TextRule::umask);
    v.duration("timeout", c.policy.timeout_ms, {1, 365 * kDay});
    v.duration("grace", c.grace_ms, {0, kHour});
    v.duration("retention", c.policy.retention_ms, {0, 365 * kDay});
    optional_integer_of(v, "max_attempts", c.policy.max_attempts, {1, limits::kAttemptsMax});
    size_of(v, "output_head", c.output_head_bytes, {0, 16 * kMiB});
    size_of(v, "output_tail", c.output_tail_bytes, {0, 16 * kMiB});
    size_of(v, "output", c.output_bytes,
            {int64_t(limits::kOutputKeptBytes), int64_t(limits::kOutputKeptMaxBytes)});
    v.variables("env", c.env);
    v.exits("exit", c.exit);
    v.later("concurrency", "a limit on jobs of one type at once");
    v.later("rate", "a limit on jobs of one type in a time");
    v.text("webhook", c.webhook, TextRule::web_url);
    visit_backoff(c.policy, v);
    visit_limits(c.limits, v);
}

void visit_webhook(WebhookConfig& c, Visitor& v) {
    v.words("allow", c.allow, TextRule::web_origin);
    v.words("allow_private", c.allow_private, TextRule::web_origin);
    v.text("secret_file", c.secret_file, TextRule::path);
    v.text("ca_file", c.ca_file, TextRule::path);
    v.words("events", c.events, TextRule::webhook_event);
    v.duration("timeout", c.policy.timeout_ms, {1, 60 * kSecond});
    optional_integer_of(v, "max_attempts", c.policy.max_attempts, {1, limits::kAttemptsMax});
    visit_backoff(c.policy, v);
}

void visit_queue(QueueConfig& c, Visitor& v) {
    integer_of(v, "concurrency", c.concurrency, {0, 1'000'000});
    integer_of(v, "worker_concurrency", c.worker_concurrency, {0, 1'000'000});
}

// [pool.NAME], [type.NAME] and [queue.NAME]: one struct for each name, made when the name is new.
template <class Section>
void visit_named(std::map<std::string, Section>& sections, std::string_view key, Visitor& v,
                 void (*visit)(Section&, Visitor&)) {
    if (!v.enter(key, !sections.empty())) return;
    std::vector<std::string> present;
    for (const auto& [name, section] : sections)
        present.push_back(name);
    for (const auto& name : v.children(present)) {
        auto at = sections.find(name);
        if (!v.enter(name, at != sections.end())) continue;
        Section section = at == sections.end() ? Section{} : at->second;
        section.name = name;
        visit(section, v);
        sections.insert_or_assign(name, section);
        v.leave();
    }
    v.leave();
}

}  // namespace

void visit_config(Config& config, Visitor& v) {
    v.text("state_dir", config.state_dir, TextRule::absolute_path);
    v.duration("stop_timeout", config.stop_timeout_ms, {0, kDay});
    if (v.enter("listen", true)) {
        visit_listen(config.listen, v);
        v.leave();
    }
    if (v.enter("redis", true)) {
        visit_redis(config.redis, v);
        v.leave();
    }
    if (v.enter("run", true)) {
        v.boolean("allow", config.allow_run);
        v.leave();
    }
    if (v.enter("server", true)) {
        v.boolean("allow_flush", config.allow_flush);
        v.duration("worker_timeout", config.worker_timeout_ms, {kSecond, kDay});
        v.duration("reserve_min", config.reserve_min_ms, {kSecond, kDay});
        v.boolean("release_on_death", config.release_on_death);
        v.size("output_quota", config.output_quota_bytes, {0, 16 * kTiB});
        v.leave();
    }
    if (v.enter("runner", true)) {
        v.boolean("start", config.runner);
        v.boolean("keep", config.keep_runner);
        v.leave();
    }
    if (v.enter("log", true)) {
        visit_log(config.log, v);
        v.leave();
    }
    if (v.enter("trace", true)) {
        visit_trace(config.trace, v);
        v.leave();
    }
    if (v.enter("webhook", true)) {
        visit_webhook(config.webhook, v);
        v.leave();
    }
    visit_named(config.pools, "pool", v, visit_pool);
    visit_named(config.types, "type", v, visit_type);
    visit_named(config.queues, "queue", v, visit_queue);
}

std::string toml_key(std::string_view name) {
    bool bare = !name.empty();
    for (char c : name)
        bare = bare && (('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') ||
                        ('0' <= c && c <= '9') || c == '-' || c == '_');
    return bare ? std::string(name) : "\"" + std::string(name) + "\"";
}

std::string join_path(std::string_view section, std::string_view key) {
    std::string path(section);
    if (!path.empty()) path += '.';
    return path + toml_key(key);
}

}  // namespace jobq
