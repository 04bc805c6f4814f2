#include "core/store/script.h"

#include "core/base/error.h"

namespace jobq {

ScriptKind Script::kind() const {
    if (text.starts_with("#!lua flags=no-writes")) return ScriptKind::reads;
    if (text.starts_with("#!lua\n")) return ScriptKind::adds;
    return name.starts_with("fetch") ? ScriptKind::takes : ScriptKind::moves;
}

const Script& script(std::string_view name) {
    for (const auto& candidate : all_scripts())
        if (candidate.name == name) return candidate;
    JOBQ_CHECK(false && "a script of that name is embedded");
}

}  // namespace jobq
