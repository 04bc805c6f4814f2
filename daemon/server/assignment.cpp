#include "daemon/server/assignment.h"

#include "core/protocol/json_writer.h"
#include "daemon/work/builtin.h"
#include "daemon/work/intake.h"

namespace jobq {
namespace {

void write_pool(JsonWriter& json, const PoolConfig& pool) {
    json.begin_object().field("name", pool.name);
    json.field("kind", pool.kind == PoolKind::child ? "child" : "exec").field("slots", pool.slots);
    json.key("queues").begin_array();
    for (const auto& queue : pool.queues)
        json.begin_object().field("name", queue.name).field("weight", queue.weight).end_object();
    json.end_array().field("strict", pool.strict);
    if (!pool.run.empty()) json.field("run", pool.run);
    json.end_object();
}

void write_limits(JsonWriter& json, const ExecLimits& limits) {
    json.key("limits").begin_object();
    if (limits.memory_bytes) json.field("memory_bytes", limits.memory_bytes);
    if (limits.cpu_s) json.field("cpu_s", limits.cpu_s);
    if (limits.files) json.field("files", limits.files);
    if (limits.processes) json.field("processes", limits.processes);
    if (limits.nice) json.field("nice", *limits.nice);
    json.end_object();
}

void write_type(JsonWriter& json, const TypeConfig& type) {
    json.key(type.name).begin_object().field("run", type.run);
    json.field("timeout_ms", type.policy.timeout_ms).field("grace_ms", type.grace_ms);
    json.key("env").begin_object();
    for (const auto& [name, value] : type.env)
        json.field(name, value);
    json.end_object();
    if (!type.cwd.empty()) json.field("cwd", type.cwd);
    json.key("exit").begin_object();
    for (const auto& [status, outcome] : type.exit)
        json.field(std::to_string(status), name(outcome));
    json.end_object();
    json.field("output_head_bytes", int64_t(type.output_head_bytes));
    json.field("output_tail_bytes", int64_t(type.output_tail_bytes));
    write_limits(json, type.limits);
    json.end_object();
}

}  // namespace

Types types_run_by(const PoolConfig& pool, const Config& config) {
    if (pool.kind == PoolKind::thread) return types_of(builtins_of(pool));
    if (pool.kind == PoolKind::child) return pool.types.empty() ? nullptr : types_of(pool.types);
    std::vector<std::string> names;
    for (const auto& [name, type] : config.types)
        if (!type.run.empty()) names.push_back(name);
    // Also where it is not allowed: the broker ends it then, so that it does not lie in wait.
    names.emplace_back(kCommandType);
    if (pool.types.empty()) return types_of(std::move(names));
    const Types wanted = types_of(pool.types);
    std::erase_if(names, [&](const std::string& name) { return !wanted->has(name); });
    return types_of(std::move(names));
}

bool needs_runner(const Config& config) {
    for (const auto& [name, pool] : config.pools)
        if (pool.kind != PoolKind::thread) return true;
    return false;
}

std::string assignment_json(const Config& config, bool local, const std::string& version) {
    JsonWriter json;
    json.begin_object().key("pools").begin_array();
    if (local)
        for (const auto& [name, pool] : config.pools)
            if (pool.kind != PoolKind::thread) write_pool(json, pool);
    json.end_array().key("types").begin_object();
    for (const auto& [name, type] : config.types)
        if (!type.run.empty()) write_type(json, type);
    json.end_object().field("run_allowed", config.allow_run).field("version", version);
    json.end_object();
    return json.take();
}

}  // namespace jobq
