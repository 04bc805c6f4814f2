// See failpoint.h. Empty in an ordinary build.
#include "core/base/failpoint.h"

#ifdef JOBQ_FAILPOINTS

#include <atomic>
#include <cstdlib>

namespace jobq {

bool failpoint(std::string_view name) {
    static const char* const asked = std::getenv("JOBQ_FAILPOINT");
    static std::atomic<int> met{0};
    const std::string_view text = asked ? asked : "";
    const size_t at = text.find('@');
    if (text.substr(0, at) != name) return false;
    const int every = at == text.npos ? 1 : std::atoi(asked + at + 1);
    return ++met % every == 0;
}

}  // namespace jobq

#endif
