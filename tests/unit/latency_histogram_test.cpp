// cli/latency_histogram: percentiles against a sorted list, its bounds, its steps.
#include "cli/loadgen/latency_histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/base/rng.h"

using namespace jobq;
using cli::LatencyHistogram;

namespace {

// The value that `percent` of the sorted values do not exceed.
int64_t exact(const std::vector<int64_t>& sorted, double percent) {
    const auto rank = int64_t(std::ceil(percent / 100 * double(sorted.size())));
    return sorted[size_t(std::max<int64_t>(rank, 1) - 1)];
}

}  // namespace

TEST_CASE("percentiles are those of the sorted values, to three digits") {
    Rng rng(5);
    for (const int bits : {4, 11, 12, 20, 31}) {
        LatencyHistogram histogram;
        std::vector<int64_t> values;
        for (int i = 0; i < 20'000; ++i) {
            // Lengths of all sizes: many small ones, a long tail.
            const uint64_t mask = (uint64_t(1) << (1 + rng.next() % uint64_t(bits))) - 1;
            values.push_back(int64_t(rng.next() & mask));
            histogram.record(values.back());
        }
        std::sort(values.begin(), values.end());
        CHECK(histogram.count() == 20'000);
        CHECK(histogram.min() == values.front());
        CHECK(histogram.max() == values.back());
        for (const double percent : {0.0, 1.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
            const int64_t want = exact(values, percent), got = histogram.percentile(percent);
            INFO(bits << " bits, p" << percent);
            CHECK(got >= want);
            CHECK(double(got - want) <= double(want) / 1000);
        }
    }
}

TEST_CASE("small values are exact, and a value may be recorded many times at once") {
    LatencyHistogram histogram;
    histogram.record(7, 900);
    histogram.record(2'047, 100);
    histogram.record(3, 0);
    CHECK(histogram.count() == 1'000);
    CHECK(histogram.percentile(90) == 7);
    CHECK(histogram.percentile(90.1) == 2'047);
    CHECK(histogram.mean() == Approx(211));
    CHECK(histogram.min() == 7);
}

TEST_CASE("values out of range count as the nearest in it, and none as 0") {
    LatencyHistogram histogram;
    CHECK(histogram.percentile(99) == 0);
    CHECK(histogram.min() == 0);
    CHECK(histogram.max() == 0);
    CHECK(histogram.steps().empty());
    CHECK(histogram.octaves().empty());
    histogram.record(-5);
    histogram.record(int64_t(1) << 60);
    CHECK(histogram.min() == 0);
    CHECK(histogram.percentile(50) == 0);
    CHECK(histogram.max() == LatencyHistogram::kMaxUs);
    CHECK(histogram.percentile(100) == LatencyHistogram::kMaxUs);
}

TEST_CASE("the steps get finer towards the end, and count up to all values") {
    LatencyHistogram histogram;
    for (int i = 1; i <= 100'000; ++i)
        histogram.record(i);
    const auto steps = histogram.steps();
    REQUIRE(steps.size() > 40);
    for (size_t i = 1; i < steps.size(); ++i) {
        CHECK(steps[i].percent > steps[i - 1].percent);
        CHECK(steps[i].us >= steps[i - 1].us);
        CHECK(steps[i].count >= steps[i - 1].count);
    }
    CHECK(steps.front().percent == 0);
    CHECK(steps[steps.size() - 2].percent == 99.99);
    CHECK(steps.back().us == 100'000);
    CHECK(steps.back().count == 100'000);
}

TEST_CASE("the picture's rows hold all values, each in the first row that reaches it") {
    LatencyHistogram histogram;
    for (const int64_t us : {0, 1, 2, 3, 4, 5, 1'000, 1'024})
        histogram.record(us);
    CHECK(histogram.octaves() == std::vector<int64_t>{2, 1, 2, 1, 0, 0, 0, 0, 0, 0, 2});
}
