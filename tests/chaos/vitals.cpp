// See vitals.h.
#include "tests/chaos/vitals.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/live/live_daemon.h"

namespace jobq::chaos {
namespace {

constexpr size_t kLongLife = 24;            // samples
constexpr int64_t kRssNoiseKib = 3 * 1024;  // of an allocator, on and off
constexpr int kRssNoisePerCent = 15;
constexpr int64_t kDescriptorNoise = 4;

using Samples = std::vector<Vital>;

int64_t middle(Samples samples, int64_t (*figure)(const Vital&)) {
    if (samples.empty()) return 0;
    std::vector<int64_t> figures;
    for (const auto& one : samples)
        figures.push_back(figure(one));
    std::nth_element(figures.begin(), figures.begin() + long(figures.size() / 2), figures.end());
    return figures[figures.size() / 2];
}

Samples quarter(const Samples& samples, size_t which) {
    const size_t n = samples.size();
    return {samples.begin() + long(n * which / 4), samples.begin() + long(n * (which + 1) / 4)};
}

int64_t rss(const Vital& vital) {
    return vital.rss_kib;
}

int64_t fewest_descriptors(const Samples& samples) {
    int64_t fewest = samples.empty() ? 0 : INT64_MAX;
    for (const auto& one : samples)
        fewest = std::min(fewest, one.descriptors);
    return fewest;
}

int64_t may_grow(const Vital& vital) {
    return vital.may_grow_kib;
}

std::string grown(const std::string& name, const Samples& samples) {
    const Samples early = quarter(samples, 1), late = quarter(samples, 3);
    const int64_t before = middle(early, rss), after = middle(late, rss);
    const int64_t reason = middle(late, may_grow) - middle(early, may_grow);
    const int64_t noise = std::max(kRssNoiseKib, before * kRssNoisePerCent / 100);
    std::string text;
    if (after > before + noise + reason)
        text += name + ": from " + std::to_string(before) + " to " + std::to_string(after) +
                " KiB, allowed " + std::to_string(noise + reason) + " more\n";
    const int64_t had = fewest_descriptors(early), has = fewest_descriptors(late);
    if (has > had + kDescriptorNoise)
        text += name + ": from " + std::to_string(had) + " to " + std::to_string(has) +
                " descriptors\n";
    return text;
}

std::vector<Samples> lives_of(const Samples& samples) {
    std::vector<Samples> lives;
    for (const auto& one : samples) {
        if (lives.empty() || lives.back().back().pid != one.pid) lives.emplace_back();
        lives.back().push_back(one);
    }
    return lives;
}

}  // namespace

Vital vital_of(pid_t pid) {
    const std::string proc = "/proc/" + std::to_string(pid);
    Vital vital;
    int64_t pages = 0;
    std::ifstream statm(proc + "/statm");
    if (pid <= 0 || !(statm >> pages >> pages)) return vital;
    std::error_code gone;
    for (std::filesystem::directory_iterator fd(proc + "/fd", gone), end; !gone && fd != end;
         fd.increment(gone))
        ++vital.descriptors;
    vital.rss_kib = pages * sysconf(_SC_PAGESIZE) / 1024;
    if (!gone) vital.pid = pid;
    return vital;
}

int zombies_of(pid_t parent) {
    int count = 0;
    for (const pid_t pid : test::children_of(parent))
        count += kill(pid, 0) == 0 && !test::is_alive(pid);  // it is there, and ended
    return count;
}

void Vitals::add(const std::string& name, const Vital& vital) {
    if (vital.pid != 0) samples_[name].push_back(vital);
}

std::string Vitals::growth() const {
    std::string text;
    for (const auto& [name, samples] : samples_) {
        if (samples.size() < kLongLife) continue;
        text += grown(name, samples);
        for (const auto& life : lives_of(samples))
            if (life.size() >= kLongLife) text += grown(name + " in one life", life);
    }
    return text;
}

std::string Vitals::growth_at_rest(const std::string& name, const Vital& now) const {
    const auto known = samples_.find(name);
    if (known == samples_.end() || known->second.back().pid != now.pid) return "";
    const int64_t had = fewest_descriptors(lives_of(known->second).back());
    if (now.descriptors <= had + kDescriptorNoise) return "";
    return name + " at rest: " + std::to_string(now.descriptors) + " descriptors, " +
           std::to_string(had) + " were enough\n";
}

std::map<std::string, std::map<std::string, int64_t>> Vitals::told() const {
    std::map<std::string, std::map<std::string, int64_t>> all;
    for (const auto& [name, samples] : samples_) {
        auto& one = all[name];
        const auto lives = lives_of(samples);
        one["samples"] = int64_t(samples.size());
        one["lives"] = int64_t(lives.size());
        for (const auto& life : lives)
            one["longest_life"] = std::max(one["longest_life"], int64_t(life.size()));
        one["rss_kib_second_quarter"] = middle(quarter(samples, 1), rss);
        one["rss_kib_last_quarter"] = middle(quarter(samples, 3), rss);
        one["descriptors_second_quarter"] = fewest_descriptors(quarter(samples, 1));
        one["descriptors_last_quarter"] = fewest_descriptors(quarter(samples, 3));
        one["stored_kib"] = samples.back().may_grow_kib;
    }
    return all;
}

}  // namespace jobq::chaos
