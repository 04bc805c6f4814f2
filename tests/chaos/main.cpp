// chaos: runs scenarios and says what was found. Called by tests/chaos/run, which knows the build.
//
// Exit status: 0 every run was judged and passed, 1 a finding, 2 a run could not be judged or was
// asked for and could not be run, 64 usage.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/chaos/scenarios.h"

namespace {

using namespace jobq::chaos;
using nlohmann::json;

constexpr size_t kFindingsShown = 20;

struct Options {
    std::string what;
    RunOptions run;
    std::string json_file;
};

bool read_options(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const bool more = i + 1 < argc;
        if (word == "--seed" && more)
            options.run.seed = std::strtoull(argv[++i], nullptr, 10);
        else if (word == "--seconds" && more)
            options.run.seconds = std::atoll(argv[++i]);
        else if (word == "--json" && more)
            options.json_file = argv[++i];
        else if (word == "--keep-directory")
            options.run.keep = true;
        else if (options.what.empty() && !word.starts_with("-"))
            options.what = word;
        else
            return false;
    }
    return !options.what.empty() && options.run.seconds > 0;
}

void list() {
    for (const auto& one : scenarios())
        std::printf("%-19s %-52s %s%s\n", one.name, one.row, one.needs, one.smoke ? " smoke" : "");
}

json told(const Report& report) {
    json all{{"verdict", to_string(report.verdict)},
             {"attempted", report.attempted},
             {"acknowledged", report.acknowledged},
             {"refused", report.refused},
             {"unanswered", report.unanswered},
             {"recovered", report.recovered},
             {"started", report.started},
             {"extra", report.extra},
             {"excused", report.excused}};
    all["states"] = report.states;
    if (!report.figures.empty()) all["figures"] = report.figures;
    all["faults"] = report.faults;
    if (!report.measured.empty()) all["measured"] = report.measured;
    // What must not be is said in numbers too.
    json found{{"lost", 0}, {"unexpected", 0}, {"duplicate", 0}, {"overlap", 0}};
    for (const auto& finding : report.findings) {
        const std::string kind(to_string(finding.kind));
        found[kind] = found.value(kind, 0) + 1;
    }
    all["found"] = found;
    all["findings"] = json::array();
    for (const auto& finding : report.findings) {
        if (all["findings"].size() == kFindingsShown) break;
        all["findings"].push_back(
            {{"kind", to_string(finding.kind)}, {"jid", finding.jid}, {"text", finding.text}});
    }
    return all;
}

void show(const Scenario& scenario, const Options& options, const Report& report,
          const std::string& directory) {
    std::printf(
        "%-19s %-7s %lld jobs, %lld acknowledged, %lld refused, %lld unanswered (%lld came), "
        "%lld runs, %lld excused",
        scenario.name, to_string(report.verdict).data(), static_cast<long long>(report.attempted),
        static_cast<long long>(report.acknowledged), static_cast<long long>(report.refused),
        static_cast<long long>(report.unanswered), static_cast<long long>(report.recovered),
        static_cast<long long>(report.started), static_cast<long long>(report.excused));
    for (const auto& [kind, count] : report.faults)
        std::printf("%s%lld %s", kind == report.faults.begin()->first ? "; " : ", ",
                    static_cast<long long>(count), kind.c_str());
    std::printf("\n");
    for (const auto& [name, value] : report.figures)
        std::printf("  %s %g\n", name.c_str(), value);
    if (report.verdict == Verdict::pass) return;
    if (!report.unproven.empty()) std::printf("  unproven: %s", report.unproven.c_str());
    size_t shown = 0;
    for (const auto& finding : report.findings)
        if (shown++ < kFindingsShown)
            std::printf("  %s %s: %s\n", to_string(finding.kind).data(), finding.jid.c_str(),
                        finding.text.c_str());
    if (shown > kFindingsShown) std::printf("  ... %zu findings in all\n", shown);
    std::printf("  kept: %s\n  again: tests/chaos/run %s --seed %llu --seconds %lld\n",
                directory.c_str(), scenario.name, static_cast<unsigned long long>(options.run.seed),
                static_cast<long long>(options.run.seconds));
}

// One scenario; its exit status.
int run(const Scenario& scenario, const Options& options, bool asked_by_name, json& results) {
    std::string directory;
    json result{
        {"scenario", scenario.name}, {"seed", options.run.seed}, {"seconds", options.run.seconds}};
    int status = 0;
    try {
        const Report report = scenario.run(options.run, directory);
        result.update(told(report));
        show(scenario, options, report, directory);
        status = report.verdict == Verdict::pass ? 0 : report.verdict == Verdict::fail ? 1 : 2;
    } catch (const NotRun& not_run) {
        std::printf("%-19s not run: %s\n", scenario.name, not_run.why.c_str());
        result["verdict"] = "not run";
        result["why"] = not_run.why;
        status = asked_by_name ? 2 : 0;
    } catch (const std::exception& error) {
        std::printf("%-19s unknown: %s\n  kept: %s\n  again: tests/chaos/run %s --seed %llu\n",
                    scenario.name, error.what(), directory.c_str(), scenario.name,
                    static_cast<unsigned long long>(options.run.seed));
        result["verdict"] = "unknown";
        result["why"] = error.what();
        status = 2;
    }
    std::fflush(stdout);
    results.push_back(std::move(result));
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!read_options(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: chaos SCENARIO|all|smoke|list [--seed N] [--seconds N] "
                     "[--json FILE] [--keep-directory]\n");
        return 64;
    }
    if (options.what == "list") {
        list();
        return 0;
    }
    json results = json::array();
    int status = 0;
    for (const auto& scenario : scenarios()) {
        const bool by_name = options.what == scenario.name;
        const bool wanted =
            by_name || options.what == "all" || (options.what == "smoke" && scenario.smoke);
        if (!wanted) continue;
        const int one = run(scenario, options, by_name, results);
        if (status != 1 && one) status = one;
    }
    if (results.empty()) {
        std::fprintf(stderr, "no scenario %s: see tests/chaos/run list\n", options.what.c_str());
        return 64;
    }
    if (!options.json_file.empty()) {
        FILE* out = std::fopen(options.json_file.c_str(), "w");
        const std::string text = results.dump(1) + "\n";
        const bool wrote = out && std::fwrite(text.data(), 1, text.size(), out) == text.size();
        if (!out || std::fclose(out) != 0 || !wrote) {
            std::fprintf(stderr, "can't write %s\n", options.json_file.c_str());
            return 2;
        }
    }
    return status;
}
