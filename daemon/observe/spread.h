// Spread: how long things took since it was last emptied, as counts of milliseconds by size; a few
// steps an entry. For charts: the true value is up to 1.5 times smaller than what quantile() says,
// which is never more than the longest.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace jobq {

class Spread {
  public:
    void add(int64_t ms) {
        const auto at = std::lower_bound(kUpTo.begin(), kUpTo.end(), ms);
        ++counts_[size_t(std::min(at, kUpTo.end() - 1) - kUpTo.begin())];
        ++all_;
        most_ = std::max(most_, ms);
    }

    // `part` of all took at most so many milliseconds; nothing: there were none.
    std::optional<int64_t> quantile(double part) const {
        if (all_ == 0) return std::nullopt;
        const double wanted = part * double(all_);
        int64_t sum = 0;
        for (size_t i = 0; i < kUpTo.size(); ++i)
            if (double(sum += counts_[i]) >= wanted) return std::min(kUpTo[i], most_);
        return most_;
    }

    void clear() { *this = Spread(); }

  private:
    // 0, 1, 2, 3, 4, 6, 8, 12, 16 ... about nine days.
    static constexpr std::array<int64_t, 60> kUpTo = [] {
        std::array<int64_t, 60> bounds{0, 1};
        for (size_t i = 2; i < bounds.size(); ++i)
            bounds[i] = i % 2 == 0 ? int64_t(1) << (i / 2) : 3 * (int64_t(1) << (i / 2 - 1));
        return bounds;
    }();

    std::array<int64_t, 60> counts_{};
    int64_t all_ = 0, most_ = 0;
};

}  // namespace jobq
