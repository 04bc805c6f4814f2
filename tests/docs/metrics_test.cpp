// jobq-metrics(7) lists what daemon/observe/metric_table.h has: names, kinds, labels, help.
#include <catch2/catch.hpp>

#include "daemon/observe/metric_table.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {
namespace {

std::string kind_word(MetricKind kind) {
    if (kind == MetricKind::counter) return "counter";
    return kind == MetricKind::gauge ? "gauge" : "histogram";
}

std::string entry_of(const MetricInfo& row) {
    std::string labels = row.labels;
    for (size_t at = 0; (at = labels.find(',', at)) != std::string::npos; at += 2)
        labels.replace(at, 1, ", ");
    return ".It Ic " + std::string(row.name) + "\n" + kind_word(row.kind) +
           (labels.empty() ? "" : " by " + labels) + ".\n" + row.help + "\n";
}

}  // namespace

TEST_CASE("jobq-metrics(7) lists each metric, in the order of the table") {
    const std::string page = test::read_file(std::string(JOBQ_SOURCE_DIR) + "/man/jobq-metrics.7");
    std::string all;
    for (const auto& row : kMetrics)
        all += entry_of(row);
    const size_t begin = page.find(".It Ic jobq_");
    REQUIRE(begin != std::string::npos);
    CHECK(page.substr(begin, page.find(".El\n", begin) - begin) == all);
}

}  // namespace jobq::test
