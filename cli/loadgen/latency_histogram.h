// LatencyHistogram: counts of values from 0 to an hour in microseconds, with three significant
// digits, in a fixed 190 KB.
//
// The layout is that of HdrHistogram (Gil Tene, github.com/HdrHistogram/HdrHistogram): buckets
// whose widths double, each cut into equal parts, so that the error is below 1/1000 everywhere and
// a value's place follows from its highest bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace jobq::cli {

class LatencyHistogram {
  public:
    static constexpr int64_t kMaxUs = 3'600'000'000;

    // Below 0 counts as 0, above kMaxUs as kMaxUs.
    void record(int64_t us, int64_t times = 1);

    int64_t count() const { return count_; }

    int64_t min() const { return count_ == 0 ? 0 : min_; }

    int64_t max() const { return max_; }

    double mean() const { return count_ == 0 ? 0 : sum_ / double(count_); }

    // The value that `percent` (0 to 100) of all values do not exceed; 0 when there is none.
    int64_t percentile(double percent) const;

    struct Step {
        double percent;
        int64_t us;
        int64_t count;  // of values up to `us`
    };

    // HdrHistogram's way: five steps to half the way to 100, five to half of what is left, and so
    // on, up to 99.99 and the maximum.
    std::vector<Step> steps() const;
    // Counts of the values from (2^(i-1) .. 2^i] microseconds, the first from 0: for a picture.
    std::vector<int64_t> octaves() const;

  private:
    static constexpr int kHalfBits = 10;  // 1024 parts: three digits
    static constexpr size_t kHalf = size_t(1) << kHalfBits;
    static constexpr size_t kSlots = kHalf * 24;  // up to 2^33

    static size_t slot_of(int64_t us);
    // The largest value that falls into the slot.
    static int64_t top_of(size_t slot);

    std::unique_ptr<std::array<int64_t, kSlots>> counts_ =
        std::make_unique<std::array<int64_t, kSlots>>();
    int64_t count_ = 0, min_ = kMaxUs, max_ = 0;
    double sum_ = 0;
};

}  // namespace jobq::cli
