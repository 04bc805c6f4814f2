#include "cli/loadgen/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace jobq::cli {

// Slots 0..2047 are one microsecond wide, the next 1024 two, the next 1024 four, ...
size_t LatencyHistogram::slot_of(int64_t us) {
    const auto value = uint64_t(us);
    const int bits = int(std::bit_width(value | (2 * kHalf - 1)));
    const int shift = bits - (kHalfBits + 1);
    return size_t(shift) * kHalf + size_t(value >> shift);
}

int64_t LatencyHistogram::top_of(size_t slot) {
    const int shift = slot < 2 * kHalf ? 0 : int(slot / kHalf) - 1;
    const size_t part = slot - size_t(shift) * kHalf;
    return int64_t(((part + 1) << shift) - 1);
}

void LatencyHistogram::record(int64_t us, int64_t times) {
    if (times <= 0) return;
    us = std::clamp<int64_t>(us, 0, kMaxUs);
    (*counts_)[slot_of(us)] += times;
    count_ += times;
    min_ = std::min(min_, us);
    max_ = std::max(max_, us);
    sum_ += double(us) * double(times);
}

int64_t LatencyHistogram::percentile(double percent) const {
    if (count_ == 0) return 0;
    const double share = std::clamp(percent, 0.0, 100.0) / 100 * double(count_);
    const int64_t wanted = std::clamp<int64_t>(int64_t(std::ceil(share)), 1, count_);
    int64_t seen = 0;
    for (size_t slot = 0; slot < kSlots; ++slot) {
        seen += (*counts_)[slot];
        if (seen >= wanted) return std::clamp(top_of(slot), min_, max_);
    }
    return max_;
}

std::vector<LatencyHistogram::Step> LatencyHistogram::steps() const {
    constexpr int kSteps = 5;
    constexpr double kLast = 99.99;
    std::vector<Step> all;
    if (count_ == 0) return all;
    const auto add = [&](double percent) {
        const int64_t us = percentile(percent);
        int64_t count = 0;
        for (size_t slot = 0; slot <= slot_of(us); ++slot)
            count += (*counts_)[slot];
        all.push_back({percent, us, count});
    };
    double from = 0, half = 50;
    while (true) {
        for (int i = 0; i < kSteps; ++i) {
            const double percent = from + half * i / kSteps;
            if (percent < kLast) add(percent);
        }
        from += half;
        half /= 2;
        if (from >= kLast) break;
    }
    add(kLast);
    add(100);
    return all;
}

std::vector<int64_t> LatencyHistogram::octaves() const {
    std::vector<int64_t> rows;
    for (size_t slot = 0; slot < kSlots; ++slot) {
        const int64_t count = (*counts_)[slot];
        if (count == 0) continue;
        const int64_t us = top_of(slot);
        const size_t row = us <= 1 ? 0 : size_t(std::bit_width(uint64_t(us - 1)));
        if (rows.size() <= row) rows.resize(row + 1);
        rows[row] += count;
    }
    return rows;
}

}  // namespace jobq::cli
