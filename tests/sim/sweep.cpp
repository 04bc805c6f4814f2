// Sweep: see sweep.h.
#include "tests/sim/sweep.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "daemon/observe/log.h"

namespace {

jobq::Rng g_random(1);

}  // namespace

// In place of the C library's, for this program alone.
extern "C" ssize_t getrandom(void* buffer, size_t length, unsigned) {
    auto* bytes = static_cast<unsigned char*>(buffer);
    for (size_t i = 0; i < length; ++i)
        bytes[i] = static_cast<unsigned char>(g_random.next());
    return ssize_t(length);
}

// What a kill leaves behind is meant to stay.
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}

namespace jobq::sim {
namespace {

constexpr uint64_t kSeedsPerProcess = 200;

Verdict run_one(uint64_t seed, Mistake mistake, bool tracing) {
    g_random = Rng(seed);
    Verdict verdict = simulate(seed, mistake, tracing);
    verdict.seed = seed;
    return verdict;
}

// In the child: a line for each seed, begun before the run, so that a crash is seen.
void run_block(int out, uint64_t from, uint64_t to, Mistake mistake) {
    for (uint64_t seed = from; seed <= to; ++seed) {
        dprintf(out, "seed %llu\n", static_cast<unsigned long long>(seed));
        Verdict verdict = run_one(seed, mistake, false);
        std::ostringstream line;
        line << "sum " << verdict.events << " " << verdict.calls << " " << verdict.starts << " "
             << verdict.lasted_ms / 1000 << "\n";
        for (const auto& violation : verdict.violations)
            line << "broken " << violation.invariant << " " << violation.text << "\n";
        line << "over\n";
        dprintf(out, "%s", line.str().c_str());
    }
}

// What a child wrote; returns the seed it was at when it ended early, else 0.
uint64_t read_block(std::istream& in, Sum& sum) {
    std::string line, word;
    uint64_t seed = 0;
    bool over = true;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        words >> word;
        if (word == "seed") {
            words >> seed;
            over = false;
            ++sum.seeds;
        } else if (word == "sum") {
            uint64_t events = 0, calls = 0, starts = 0, seconds = 0;
            words >> events >> calls >> starts >> seconds;
            sum.events += events;
            sum.calls += calls;
            sum.starts += starts;
            sum.virtual_s += seconds;
        } else if (word == "broken") {
            Failed failed;
            failed.seed = seed;
            words >> failed.invariant;
            std::getline(words >> std::ws, failed.text);
            if (sum.failed.empty() || sum.failed.back().seed != seed) sum.failed.push_back(failed);
        } else if (word == "over") {
            over = true;
        }
    }
    return over ? 0 : seed;
}

}  // namespace

std::string Sum::text() const {
    std::ostringstream text;
    text << seeds << " seeds, " << failed.size() << " failed; " << events << " moments, " << calls
         << " store calls, " << starts << " starts, " << virtual_s / 3600 << " h of virtual time";
    return text.str();
}

Sum sweep(uint64_t from, uint64_t to, Mistake mistake) {
    Sum sum;
    while (from <= to) {
        uint64_t last = std::min(to, from + kSeedsPerProcess - 1);
        int ends[2];
        JOBQ_CHECK(pipe(ends) == 0);
        std::cout.flush();
        pid_t child = fork();
        JOBQ_CHECK(child >= 0);
        if (child == 0) {
            close(ends[0]);
            log_open("critical", false);
            run_block(ends[1], from, last, mistake);
            _exit(0);
        }
        close(ends[1]);
        std::string said;
        char buffer[4096];
        for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
            said.append(buffer, size_t(got));
        close(ends[0]);
        int status = 0;
        waitpid(child, &status, 0);
        size_t before = sum.failed.size();
        std::istringstream in(said);
        uint64_t at = read_block(in, sum);
        if (at != 0) {
            std::string how = "the program ended, wait status " + std::to_string(status);
            sum.failed.push_back({at, "ended", how});
            last = at;
        }
        for (size_t i = before; i < sum.failed.size() && mistake == Mistake::none; ++i)
            std::cout << "seed " << sum.failed[i].seed << " broke " << sum.failed[i].invariant
                      << ": " << sum.failed[i].text << "\n  repeat: build/dev/sim_tests --seed "
                      << sum.failed[i].seed << std::endl;
        from = last + 1;
    }
    return sum;
}

bool show(uint64_t seed) {
    log_open("info", false);
    Verdict verdict = run_one(seed, Mistake::none, true);
    log_flush();
    for (const auto& violation : verdict.violations)
        std::cout << "broken " << violation.invariant << ": " << violation.text << "\n";
    std::cout << verdict.events << " moments, " << verdict.calls << " store calls, "
              << verdict.starts << " starts, " << verdict.lasted_ms / 1000
              << " s of virtual time: " << (verdict.violations.empty() ? "held" : "BROKEN") << "\n";
    return verdict.violations.empty();
}

}  // namespace jobq::sim
