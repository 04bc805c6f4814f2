#include "core/base/version.h"

namespace jobq {

std::string_view version() {
    return JOBQ_VERSION;
}

}  // namespace jobq
