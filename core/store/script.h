// Script: one Lua script of core/store/lua, embedded at build. Called by EVALSHA, by EVAL when
// Redis does not know it: the SHA names exact content, so daemons of two versions can share a
// store.
#pragma once

#include <span>
#include <string_view>

#include "core/store/storage_gate.h"

namespace jobq {

struct Script {
    std::string_view name;
    std::string_view sha;  // SHA-1 of text, lower-case hex
    std::string_view text;

    // By its flags: what may not run when memory is short adds jobs.
    ScriptKind kind() const;
};

std::span<const Script> all_scripts();
// The script of that name, which must exist.
const Script& script(std::string_view name);

}  // namespace jobq
