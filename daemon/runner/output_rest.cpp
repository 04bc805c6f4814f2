#include "daemon/runner/output_rest.h"

namespace jobq {
namespace {

constexpr int kUnknownMost = 50;

}  // namespace

void OutputRest::settle(bool known) {
    if (known || ++unknown_ >= kUnknownMost)
        chunks_.erase(chunks_.begin(), chunks_.begin() + std::ptrdiff_t(given_));
    given_ = 0;
}

void OutputRest::rewind() {
    given_ = 0;
    if (!cut_) chunks_.clear();
}

}  // namespace jobq
