// What one job costs jobqd in instructions, without sockets and Redis: the line parsed, the
// envelope written, read again, the decision, the final record. Run under callgrind by
// tests/bench/instructions, which compares the count per job with the committed one; the same on
// every machine.
//
//   bench_instructions [--jobs N]
#include <stdexcept>

#include "core/base/rng.h"
#include "core/job/codec.h"
#include "core/job/decide.h"
#include "core/protocol/job_wire.h"
#include "tests/bench/bench_kit.h"

int main(int argc, char** argv) {
    using namespace jobq;
    const int64_t jobs = bench::option(argc, argv, "jobs", 10'000), now = 1'790'000'000'000;
    const std::string line =
        "{\"jid\":\"01KB7D3V9GQ2J5M8N1P4R7T0WX\",\"jobtype\":\"noop\",\"queue\":\"default\","
        "\"args\":[\"" +
        std::string(96, 'x') + "\"]}";
    Rng rng(1);
    size_t bytes = 0;
    for (int64_t i = 0; i < jobs; ++i) {
        const auto job = parse_push(line, now);
        if (!job) throw std::runtime_error(job.error().text);
        const auto read = decode_job(job->jid, encode_job(*job, false));
        if (!read) throw std::runtime_error(read.error().text);
        RunReport report;
        report.started_ms = report.ended_ms = now;
        const Transition next = decide(*read, {}, report, {}, now, rng);
        FinalRecord record;
        record.type = read->type;
        record.queue = read->queue;
        record.worker = "default";
        record.created_ms = record.started_ms = record.finished_ms = now;
        record.attempts = next.record.attempts;
        bytes += encode_final(record).size();
    }
    bench::print_figure({{"name", "one job's way"}, {"jobs", jobs}, {"bytes", bytes}});
}
