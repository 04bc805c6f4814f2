// Vitals: how much memory and how many descriptors some processes of a long run have, sample by
// sample, and whether that grows. Pure but for the reading of /proc. Used by the soak.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace jobq::chaos {

struct Vital {
    pid_t pid = 0;
    int64_t rss_kib = 0, descriptors = 0;
    int64_t may_grow_kib = 0;  // since the run began, for a reason: what is stored
};

// Of a process that is there; pid 0 when it is not.
Vital vital_of(pid_t pid);

// The processes that ended and that this one has not waited for.
int zombies_of(pid_t parent);

class Vitals {
  public:
    void add(const std::string& name, const Vital& vital);

    // What grew, a line each: the last quarter of samples against the second, over the whole run,
    // and for each life of a process that is long enough. Of memory the middle counts; of
    // descriptors the fewest, since each job that runs has some. "" when nothing grew.
    std::string growth() const;
    // The same for a process that has nothing to do now: no more than the fewest of its life.
    std::string growth_at_rest(const std::string& name, const Vital& now) const;

    // Of each process: samples, lives, and the figures that growth() compares.
    std::map<std::string, std::map<std::string, int64_t>> told() const;

  private:
    std::map<std::string, std::vector<Vital>> samples_;
};

}  // namespace jobq::chaos
