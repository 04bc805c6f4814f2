// The table of chaos scenarios: what is broken, and how.
#pragma once

#include <string>
#include <vector>

#include "tests/chaos/rig.h"
#include "tests/support/redis_server.h"

namespace jobq::chaos {

struct Scenario {
    const char* name;
    const char* row;    // of the fault matrix: what kind of trouble, in a few words
    const char* needs;  // root, strace, ...; "" nothing special
    bool smoke;         // part of the short run of CI
    // Makes a Rig, breaks things for the time given, and lets it judge. Throws NotRun.
    Report (*run)(const RunOptions& options, std::string& directory);
};

const std::vector<Scenario>& scenarios();

// Parts of the table, each with its functions.
std::vector<Scenario> process_scenarios();
std::vector<Scenario> lease_scenarios();
std::vector<Scenario> storage_scenarios();
std::vector<Scenario> world_scenarios();
std::vector<Scenario> daemon_scenarios();
std::vector<Scenario> redis_scenarios();
std::vector<Scenario> job_scenarios();
std::vector<Scenario> damage_scenarios();
std::vector<Scenario> syscall_scenarios();
std::vector<Scenario> time_scenarios();
std::vector<Scenario> flood_scenarios();
std::vector<Scenario> soak_scenario();
std::vector<Scenario> wake_scenarios();
std::vector<Scenario> cut_scenarios();

// Throws NotRun when it is not so.
void need_root();
void need_program(const std::string& name);
// For a jobqd that uses that Redis.
Setup with_redis(const test::RedisServer& redis);
// Ends well, or throws; output only when it does not.
void must_run(const std::vector<std::string>& words);

}  // namespace jobq::chaos
