#include "core/store/script.h"

#include "core/base/error.h"

namespace jobq {

const Script& script(std::string_view name) {
    for (const auto& candidate : all_scripts())
        if (candidate.name == name) return candidate;
    JOBQ_CHECK(!"a script of that name is embedded");
}

}  // namespace jobq
