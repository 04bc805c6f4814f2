#include "daemon/server/assignment.h"

#include "core/base/file.h"
#include "daemon/broker/intake_rules.h"
#include "daemon/work/builtin.h"

namespace jobq {
namespace {

PoolSpec spec_of(const PoolConfig& pool) {
    PoolSpec spec;
    spec.name = pool.name;
    spec.kind = pool.kind;
    spec.slots = pool.slots;
    spec.queues = pool.queues;
    spec.strict = pool.strict;
    spec.run = pool.run;
    return spec;
}

TypeSpec spec_of(const TypeConfig& type) {
    TypeSpec spec;
    spec.run = type.run;
    spec.timeout_ms = type.policy.timeout_ms;
    spec.grace_ms = type.grace_ms;
    spec.env = type.env;
    spec.cwd = type.cwd;
    spec.umask = parse_umask(type.umask).value_or(kJobUmask);
    spec.exit = type.exit;
    spec.output_head_bytes = type.output_head_bytes;
    spec.output_tail_bytes = type.output_tail_bytes;
    spec.limits = type.limits;
    return spec;
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

Assignment assignment_of(const Config& config, bool local, std::string version) {
    Assignment assignment;
    for (const auto& [name, pool] : config.pools)
        if (local && pool.kind != PoolKind::thread) assignment.pools.push_back(spec_of(pool));
    for (const auto& [name, type] : config.types)
        if (!type.run.empty()) assignment.types.emplace(name, spec_of(type));
    assignment.run_allowed = config.allow_run;
    assignment.version = std::move(version);
    return assignment;
}

}  // namespace jobq
