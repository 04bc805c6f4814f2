// The verb `history`: what happened to a job, one line for each event, as far as its record has it.
#include <string>
#include <vector>

#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"
#include "cli/verbs/each_job.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

struct Happened {
    std::string at;  // RFC 3339
    std::string event;
    int64_t attempt = 0;  // 0: of none
    std::string text{};
};

std::string words(JsonView attempt) {
    std::string text = attempt["error_type"].text();
    const std::string message = attempt["message"].text();
    if (!message.empty()) text += (text.empty() ? "" : ": ") + message;
    return text;
}

std::string place(JsonView of) {
    const std::string worker = of["worker"].text();
    return worker.empty() ? "" : "at " + worker;
}

int64_t last_attempt(JsonView job) {
    return job["attempt"].exists() ? job["attempt"].number() : job["attempts"].number();
}

void add_failures(std::vector<Happened>& all, JsonView job) {
    const auto errors = job["errors"].items();
    // Attempts that were put off, released or succeeded leave no record of their own.
    for (const JsonView error : errors) {
        const int64_t number = error["attempt"].number();
        if (error["started_at"].exists())
            all.push_back({error["started_at"].text(), "started", number, place(error)});
        all.push_back({error["ended_at"].text(), error["outcome"].text(), number, words(error)});
    }
}

std::vector<Happened> history_of(JsonView job) {
    const std::string state = job["state"].text();
    std::vector<Happened> all{{job["created_at"].text(), "enqueued", 0, ""}};
    add_failures(all, job);
    if (job["started_at"].exists() && state != "dead")
        all.push_back({job["started_at"].text(), "started", last_attempt(job), place(job)});
    if (job["finished_at"].exists())
        all.push_back({job["finished_at"].text(), state, 0, job["reason"].text()});
    const std::string next = state == "retrying" ? "next_at" : state == "scheduled" ? "run_at" : "";
    if (!next.empty()) all.push_back({job[next].text(), "planned", 0, ""});
    return all;
}

void print_history(Output& out, JsonView job) {
    out.line(printable(job["jid"].text()) + "  " + printable(job["type"].text()) + "  " +
             out.paint(job["state"].text(), state_colour(job["state"].text())));
    for (const Happened& one : history_of(job))
        out.line("  " + padded(one.at, 26) +
                 (one.attempt > 0 ? "attempt " + std::to_string(one.attempt) + " " : "") +
                 one.event + (one.text.empty() ? "" : ": " + printable(one.text)));
}

void add_history(Records& records, JsonView job) {
    for (const Happened& one : history_of(job)) {
        JsonWriter json;
        json.begin_object().field("jid", job["jid"].text()).field("at", one.at);
        json.field("event", one.event);
        if (one.attempt > 0) json.field("attempt", one.attempt);
        if (!one.text.empty()) json.field("text", one.text);
        json.end_object();
        records.add(json.take());
    }
}

Answer<int> run_history(Invocation& invocation) {
    return each_job(invocation, {print_history, add_history});
}

}  // namespace

const Verb kHistory{.name = "history",
                    .usage = "JID...|-",
                    .summary = "Show what happened to jobs",
                    .examples = "jobq history 01KB7D3V9GQ2J5",
                    .options = {},
                    .more = {},
                    .min_words = 1,
                    .max_words = -1,
                    .run = run_history};

}  // namespace jobq::cli
