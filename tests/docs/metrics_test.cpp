// jobq-metrics(7) lists what daemon/observe/metric_table.h has: names, kinds, labels, help. The
// alert rules and the board of packaging/ name nothing else.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "daemon/observe/metric_table.h"
#include "tests/docs/program.h"
#include "tests/support/paths.h"
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
    const std::string page = test::read_file(std::string(kSourceDir) + "/man/jobq-metrics.7");
    std::string all;
    for (const auto& row : kMetrics)
        all += entry_of(row);
    const size_t begin = page.find(".It Ic jobq_");
    REQUIRE(begin != std::string::npos);
    CHECK(page.substr(begin, page.find(".El\n", begin) - begin) == all);
}

// The names of ours in a file of rules or a board are of the table, or parts of a histogram.
TEST_CASE("docs: board and rules name metrics that there are, and each alert has its runbook") {
    std::set<std::string> known;
    for (const auto& row : kMetrics) {
        known.insert(row.name);
        if (kind_word(row.kind) != "histogram") continue;
        for (const char* part : {"_bucket", "_sum", "_count"})
            known.insert(std::string(row.name) + part);
    }
    const std::string source = kSourceDir;
    const std::string rules = test::read_file(source + "/packaging/prometheus/jobq.rules.yml");
    const std::string board = test::read_file(source + "/packaging/grafana/jobq.json");
    CHECK(nlohmann::json::parse(board).at("panels").size() > 10);
    const std::regex name("\\b(jobq|process)_[a-z_]+\\b"), alert("- alert: (\\w+)");
    for (const std::string& text : {rules, board}) {
        std::set<std::string> used;
        for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
            used.insert(at->str());
        CHECK(used.size() > 10);
        for (const auto& one : used) {
            INFO(one);
            CHECK(known.contains(one));
        }
    }
    const std::string page = test::read_file(source + "/man/jobq-metrics.7");
    const std::string tried = test::read_file(source + "/packaging/prometheus/jobq.rules.test.yml");
    size_t alerts = 0;
    for (std::sregex_iterator at(rules.begin(), rules.end(), alert), end; at != end; ++at) {
        const std::string one = (*at)[1];
        INFO(one);
        ++alerts;
        CHECK(page.find(".It Em " + one + "\n") != std::string::npos);
        CHECK(rules.find("man 7 jobq-metrics, " + one + "\"") != std::string::npos);
        CHECK(tried.find("alertname: " + one + "\n        exp_alerts:") != std::string::npos);
    }
    CHECK(alerts > 10);
}

TEST_CASE("docs: promtool accepts the rules, and each alert fires when it should") {
    const std::string own = std::string(kSourceDir) + "/build/promtool/usr/bin/promtool";
    const std::string promtool = std::filesystem::exists(own) ? own : "/usr/bin/promtool";
    const std::string folder = std::string(kSourceDir) + "/packaging/prometheus/";
    for (const auto& words : {std::vector<std::string>{"check", "rules", folder + "jobq.rules.yml"},
                              {"test", "rules", folder + "jobq.rules.test.yml"}}) {
        std::vector<std::string> all{promtool};
        all.insert(all.end(), words.begin(), words.end());
        const auto ran = test::run_program(all, "", {});
        INFO("./start prepare fetches promtool\n" << ran.out << ran.err);
        CHECK(ran.status == 0);
    }
}

}  // namespace jobq::test
