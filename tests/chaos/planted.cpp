// chaos_planted: plants each bug that jobqd can be built with, and demands that a chaos run finds
// it. A judge that never said "fail" proves nothing. Built with -D JOBQ_FAILPOINTS=ON alone; called
// by ctest and `tests/chaos/run planted`.
//
// `chaos_planted NAME...` plants only these. Exit status 0: all were found, and without any the
// same runs pass.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/chaos/scenarios.h"

namespace {

using namespace jobq::chaos;

struct Planted {
    const char* failpoint;  // "": none
    const char* every;      // how often it is met for each time it hits
    const char* scenario;
    int seconds;
    FindingKind finding;
};

constexpr Planted kPlanted[] = {
    {"push_dropped", "10", "none", 3, FindingKind::lost},
    {"job_invented", "10", "none", 3, FindingKind::unexpected},
    {"payload_changed", "10", "none", 3, FindingKind::damaged},
    {"fetch_twice", "10", "none", 4, FindingKind::duplicate},
    {"fetch_twice", "3", "none", 4, FindingKind::overlap},
    {"delayed_early", "1", "none", 4, FindingKind::early},
    {"retry_unbounded", "1", "none", 4, FindingKind::duplicate},
    {"key_ignored", "1", "none", 4, FindingKind::duplicate},
    {"ended_kept", "10", "none", 3, FindingKind::two_places},
    {"stored_but_refused", "10", "none", 3, FindingKind::dishonest_failed},
    {"result_replaced", "10", "none", 3, FindingKind::result_changed},
    {"orphan_dropped", "1", "runner_kill", 12, FindingKind::lost},
    {"dead_owner_kept", "1", "runner_kill", 12, FindingKind::late},
    {"poison_immortal", "1", "poison", 4, FindingKind::poison_over},
    {"cursor_by_rank", "1", "bulk_retry", 4, FindingKind::told_wrong},
    {"finish_unfenced", "1", "stale_finish", 1, FindingKind::stale_accepted},
    {"refusal_final", "1", "redis_refuses", 8, FindingKind::duplicate},
    {"woken_for_others", "1", "two_kinds", 2, FindingKind::late},
    {"repeat_is_new", "1", "cut_answers", 6, FindingKind::duplicate},
    {"", "", "none", 4, {}},
    {"", "", "runner_kill", 12, {}},
    {"", "", "stale_finish", 1, {}},
    {"", "", "redis_refuses", 8, {}},
    {"", "", "bulk_retry", 4, {}},
    {"", "", "two_kinds", 2, {}},
    {"", "", "cut_answers", 6, {}},
};

const Scenario* scenario_named(const std::string& name) {
    for (const auto& scenario : scenarios())
        if (scenario.name == name) return &scenario;
    return nullptr;
}

bool is_found(const Planted& planted) {
    const std::string name = planted.failpoint;
    if (name.empty())
        unsetenv("JOBQ_FAILPOINT");
    else
        setenv("JOBQ_FAILPOINT", (name + "@" + planted.every).c_str(), 1);
    const Scenario* scenario = scenario_named(planted.scenario);
    if (!scenario) throw std::runtime_error(std::string("no scenario ") + planted.scenario);
    RunOptions options;
    options.seed = 7;
    options.seconds = planted.seconds;
    std::string directory;
    const Report report = scenario->run(options, directory);
    const bool right = name.empty() ? report.verdict == Verdict::pass : report.has(planted.finding);
    std::string found;
    for (const auto& finding : report.findings)
        if (found.find(to_string(finding.kind)) == found.npos)
            found += " " + std::string(to_string(finding.kind));
    std::printf("%-4s %-20s %-14s wanted %s, %s (%lld runs excused):%s\n", right ? "ok" : "BAD",
                name.empty() ? "nothing planted" : planted.failpoint, planted.scenario,
                name.empty() ? "pass" : to_string(planted.finding).data(),
                to_string(report.verdict).data(), static_cast<long long>(report.excused),
                found.c_str());
    if (right)
        std::filesystem::remove_all(directory);
    else
        for (const auto& finding : report.findings)
            std::printf("  %s %s: %s\n", to_string(finding.kind).data(), finding.jid.c_str(),
                        finding.text.c_str());
    std::fflush(stdout);
    return right;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> only(argv + 1, argv + argc);
    int bad = 0, tried = 0;
    for (const auto& planted : kPlanted) {
        const bool wanted =
            only.empty() || std::find(only.begin(), only.end(), planted.failpoint) != only.end();
        if (!wanted) continue;
        ++tried;
        try {
            if (!is_found(planted)) ++bad;
        } catch (const std::exception& error) {
            std::printf("BAD  %-20s %s\n", planted.failpoint, error.what());
            ++bad;
        }
    }
    std::printf("%d of %d as they must be\n", tried - bad, tried);
    return bad || !tried ? 1 : 0;
}
