// The verb `status`: a block per job for people, the daemon's objects for machines.
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"
#include "cli/verbs/each_job.h"

namespace jobq::cli {
namespace {

void print_field(Output& out, std::string_view name, const std::string& value) {
    if (!value.empty()) out.line("  " + padded(name, 10) + value);
}

std::string exit_words(JsonView of) {
    if (const auto signal = of["signal"].maybe_number(); signal && *signal > 0)
        return "signal " + std::to_string(*signal);
    if (const auto code = of["exit_code"].maybe_number())
        return "exit status " + of["exit_code"].text();
    return {};
}

void print_errors(Output& out, JsonView job) {
    for (const JsonView error : job["errors"].items()) {
        std::string words = "attempt " + error["attempt"].text() + " " + error["outcome"].text();
        const std::string type = printable(error["error_type"].text());
        const std::string message = printable(error["message"].text());
        if (!type.empty()) words += ": " + type;
        if (!message.empty()) words += ": " + message;
        const std::string when = when_words(error["ended_at"].text());
        print_field(out, "error", words + (when.empty() ? "" : ", " + when));
    }
}

std::string attempts_words(JsonView job) {
    std::string words = job["attempts"].text();
    if (job["max_attempts"].exists()) words += " of " + job["max_attempts"].text();
    if (job["attempt"].number() > 0) words += ", running attempt " + job["attempt"].text();
    if (job["crashes"].number() > 0) words += ", crashes " + job["crashes"].text();
    return words;
}

void print_job(Output& out, JsonView job) {
    const std::string state = job["state"].text();
    const std::string reason = job["reason"].text();
    out.line(printable(job["jid"].text()) + "  " + printable(job["type"].text()) + "  " +
             out.paint(state, state_colour(state)) +
             (reason.empty() ? "" : " (" + printable(reason) + ")") +
             (job["cancel_asked"].flag() ? ", cancel requested" : ""));
    print_field(out, "queue",
                printable(job["queue"].text()) + ", priority " + job["priority"].text());
    print_field(out, "note", printable(job["note"].text()));
    print_field(out, "created", when_words(job["created_at"].text()));
    print_field(out, "runs at", when_words(job["run_at"].text()));
    print_field(out, "next", when_words(job["next_at"].text()));
    print_field(out, "started", when_words(job["started_at"].text()));
    const std::string finished = when_words(job["finished_at"].text());
    if (job["duration_ms"].exists()) {
        const std::string took = format_duration(job["duration_ms"].number());
        if (finished.empty()) {
            print_field(out, "runs for", took);
        } else {
            print_field(out, "finished", finished + ", took " + took);
        }
    } else {
        print_field(out, "finished", finished);
    }
    print_field(out, "attempts", attempts_words(job));
    print_field(out, "worker", printable(job["worker"].text()));
    print_field(out, "ended by", exit_words(job));
    if (job["max_rss_kib"].number() > 0)
        print_field(out, "used",
                    format_duration(job["user_cpu_ms"].number()) + " user, " +
                        format_duration(job["system_cpu_ms"].number()) + " system, " +
                        job["max_rss_kib"].text() + " KiB memory");
    std::string tags;
    for (const JsonView tag : job["tags"].items())
        tags += (tags.empty() ? "" : ", ") + printable(tag.text());
    print_field(out, "tags", tags);
    print_errors(out, job);
    print_field(out, "args", printable(job["args_preview"].text()));
    if (job["has_result"].flag())
        print_field(out, "result", "jobq result " + printable(job["jid"].text()));
}

Answer<int> run_status(Invocation& invocation) {
    int seen = 0;
    return each_job(invocation, {[&seen](Output& out, JsonView job) {
                                     if (seen++ > 0) out.line("");
                                     print_job(out, job);
                                 },
                                 [](Records& records, JsonView job) { records.add(job.raw()); }});
}

}  // namespace

const Verb kStatus{.name = "status",
                   .usage = "JID...|-",
                   .summary = "Show everything about jobs, and why a job waits",
                   .examples = "jobq status 01KB7D3V9GQ2J5\njobq status --json 01KB7D3V9GQ2J5",
                   .options = {},
                   .more = {},
                   .min_words = 1,
                   .max_words = -1,
                   .run = run_status};

}  // namespace jobq::cli
