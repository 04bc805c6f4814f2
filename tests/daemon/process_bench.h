// One attempt of an exec job on its own loop, with real processes and without a jobqd.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>

#include "daemon/loop/orphans.h"
#include "daemon/runner/process_job.h"
#include "tests/daemon/loop_until.h"
#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

inline TakenJob job_with(const std::string& payload) {
    TakenJob job;
    job.jid = "jid-0000001";
    job.type = "script";
    job.queue = "low";
    job.token = "t1";
    job.attempt = 2;
    job.max_attempts = 5;
    job.deadline = "2030-01-01T00:00:00Z";
    job.payload = payload;
    return job;
}

inline TypeSpec shell(const std::string& script) {
    TypeSpec type;
    type.run = {"/bin/sh", "-c", script};
    return type;
}

struct Bench {
    UvReactor reactor;
    OrphanSweeper sweeper{reactor};
    std::optional<RunReport> report;
    int outputs = 0, ends = 0;
    // As where nobody follows.
    JobRunEvents events{[this](JobRun& one) {
                            ++outputs;
                            one.output.set_room(OutputRoom::kNobody);
                            one.read_output(true);
                        },
                        [this](JobRun&, RunReport ended) {
                            report = std::move(ended);
                            ++ends;
                        }};
    std::unique_ptr<ProcessJob> run;

    Bench() { adopt_orphans(); }

    void start(const TypeSpec& type, const std::string& payload = "{}", int64_t timeout_ms = 0) {
        TakenJob job = job_with(payload);
        job.timeout_ms = timeout_ms;
        auto launch = launch_of(job, &type, true);
        REQUIRE(launch);
        run = std::make_unique<ProcessJob>(reactor, sweeper, job, type, events);
        REQUIRE(run->start(*launch));
    }

    RunReport finish(int64_t limit_ms = 10'000) {
        REQUIRE(loop_until(
            reactor, [&] { return report.has_value(); }, limit_ms));
        CHECK(ends == 1);
        return *report;
    }

    RunReport all(const TypeSpec& type, const std::string& payload = "{}", int64_t timeout_ms = 0) {
        start(type, payload, timeout_ms);
        return finish();
    }

    // Waits for a file that the job writes, with the loop turning.
    std::string await_file(const std::string& path) {
        REQUIRE(loop_until(reactor, [&] { return !read_file(path).empty(); }));
        return read_file(path);
    }
};

}  // namespace jobq::test
