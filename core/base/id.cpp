// Job ids and the random source: see id.h.
// A maker never gives an id that sorts before one it gave earlier.
#include "core/base/id.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"

namespace jobq {
namespace {

constexpr char kCrockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr int64_t kTimeMask = (int64_t(1) << 48) - 1;

}  // namespace

uint64_t random_u64() {
    uint64_t value = 0;
    ssize_t got = 0;
    do {
        got = getrandom(&value, sizeof value, 0);
    } while (got < 0 && errno == EINTR);
    JOBQ_CHECK(got == ssize_t(sizeof value));
    return value;
}

IdMaker::IdMaker() : rng_(random_u64()) {}

std::string IdMaker::next(int64_t wall_ms) {
    // A clock that steps back must not put new ids before old ones: the last time stays in use.
    if (wall_ms > last_ms_) {
        last_ms_ = wall_ms;
        high_ = rng_.next() & 0xFFFF;
        low_ = rng_.next();
    } else if (++low_ == 0 && ++high_ > 0xFFFF) {
        high_ = 0;
        ++last_ms_;
    }
    std::string id(26, '0');
    uint64_t time = uint64_t(std::max<int64_t>(last_ms_, 0) & kTimeMask);
    for (size_t i = 10; i-- > 0; time >>= 5)
        id[i] = kCrockford[time & 31];
    uint64_t high = high_, low = low_;
    for (size_t i = 26; i-- > 10;) {
        id[i] = kCrockford[low & 31];
        low = low >> 5 | (high & 31) << 59;
        high >>= 5;
    }
    return id;
}

std::optional<int64_t> id_time_ms(std::string_view id) {
    constexpr std::string_view kDigits(kCrockford, 32);
    if (id.size() != 26 || id.find_first_not_of(kDigits) != id.npos) return std::nullopt;
    int64_t time = 0;
    for (char c : id.substr(0, 10))
        time = time << 5 | int64_t(kDigits.find(c));
    return time;
}

}  // namespace jobq
