// Script: one Lua script of core/store/lua, embedded at build. Called by EVALSHA, by EVAL when
// Redis does not know it: the SHA names exact content, so daemons of two versions can share a
// store. Each is an object in core/store/link/scripts.h, which the build writes: scripts::enqueue.
#pragma once

#include <span>
#include <string_view>

#include "core/store/storage_gate.h"

namespace jobq {

struct Script {
    std::string_view name;
    ScriptKind kind;       // as its header says
    std::string_view sha;  // SHA-1 of text, lower-case hex
    std::string_view text;
};

std::span<const Script> all_scripts();

}  // namespace jobq
