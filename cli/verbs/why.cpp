// The verb `why`: the one thing that a job waits for, with a stable code.
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"
#include "cli/verbs/each_job.h"
#include "core/base/time.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

std::string reason(JsonView job) {
    if (job["note"].exists()) return printable(job["note"].text());
    const std::string began = when_words(job["started_at"].text());
    const std::string worker = printable(job["worker"].text());
    if (job["state"].text() == "running")
        return "it runs since " + began + (worker.empty() ? "" : " at " + worker);
    return "it ended as " + job["state"].text() + " " + when_words(job["finished_at"].text());
}

void print_why(Output& out, JsonView job) {
    out.line(printable(job["jid"].text()) + "  " + out.paint(job["why"].text(), Colour::busy) +
             ": " + reason(job));
}

void add_why(Records& records, JsonView job) {
    JsonWriter json;
    json.begin_object().field("jid", job["jid"].text()).field("state", job["state"].text());
    json.field("why", job["why"].text()).field("note", reason(job));
    if (job["ahead"].exists()) json.field("ahead", job["ahead"].number());
    if (job["held_by"].exists()) json.raw("held_by", job["held_by"].raw());
    json.end_object();
    records.add(json.take());
}

Answer<int> run_why(Invocation& invocation) {
    return each_job(invocation, {print_why, add_why});
}

}  // namespace

const Verb kWhy{.name = "why",
                .usage = "JID...|-",
                .summary = "Say why jobs are not running",
                .examples = "jobq why 01KB7D3V9GQ2J5\njobq why -o json 01KB7D3V9GQ2J5",
                .options = {},
                .more = {},
                .min_words = 1,
                .max_words = -1,
                .run = run_why};

}  // namespace jobq::cli
