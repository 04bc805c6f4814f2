// The verbs `queue list|pause|resume|clear|latency`.
#include <algorithm>
#include <array>

#include "cli/enqueue/job_options.h"
#include "cli/input/input.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"

namespace jobq::cli {
namespace {

constexpr std::array kClearOptions{
    Option{"--dry-run", "-n", "", "show what would be done", Takes::nothing},
    Option{"--yes", "-y", "", "do not ask for confirmation", Takes::nothing},
};

Answer<std::string> ask(Client& client, std::string_view verb, const std::string& json) {
    auto reply = client.call(verb, json);
    if (!reply) return tl::unexpected(Failure(reply.error()));
    return std::move(*reply);
}

Answer<> check_names(const std::vector<std::string>& names) {
    for (const auto& name : names)
        if (auto good = check_name("the queue", name); !good) return good;
    return {};
}

Answer<> not_known(const std::string& name) {
    return give_up(kNotFound, "queue '" + printable(name) + "' does not exist",
                   "the first job creates a queue; `jobq queue list` shows the queues");
}

// The queues named in `wanted` of a QUEUES answer; not found when one is missing.
Answer<std::vector<JsonView>> pick(JsonView reply, const std::vector<std::string>& wanted) {
    const auto all = reply["queues"].items();
    std::vector<JsonView> picked;
    for (const auto& name : wanted) {
        const auto found = std::find_if(all.begin(), all.end(), [&name](JsonView queue) {
            return queue["name"].text() == name;
        });
        if (found == all.end()) return tl::unexpected(not_known(name).error());
        picked.push_back(*found);
    }
    return picked;
}

void print_queue(Output& out, JsonView queue) {
    out.line(padded(printable(queue["name"].text()), 24) + padded(queue["size"].text(), 10) +
             padded(rounded(queue["latency_ms"].number()), 8) +
             (queue["paused"].flag() ? out.paint("paused", Colour::busy) : "running"));
}

using Print = void (*)(Output&, JsonView);

void show_page(Output& out, Records& records, const std::vector<JsonView>& queues, Print print) {
    for (const JsonView queue : queues) {
        if (!out.is_text()) {
            records.add(queue.raw());
        } else if (out.quiet()) {
            out.line(queue["name"].text());
        } else {
            print(out, queue);
        }
    }
}

// Those that are named, or all, page by page.
Answer<int> show_queues(Invocation& invocation, Print print, std::string_view header) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto& wanted = invocation.args.words;
    Output& out = invocation.out;
    Records records(out);
    bool begun = false;
    std::string cursor;
    do {
        auto request = JsonWriter::object();
        if (!wanted.empty()) request.field("queues", wanted);
        if (!cursor.empty()) request.field("cursor", cursor);
        const auto reply = ask(*client, "QUEUES", request.done());
        if (!reply) return tl::unexpected(reply.error());
        const JsonView page(*reply);
        const auto queues = wanted.empty() ? Answer<std::vector<JsonView>>(page["queues"].items())
                                           : pick(page, wanted);
        if (!queues) return tl::unexpected(queues.error());
        const bool headed = out.is_text() && !out.quiet() && out.on_terminal();
        if (headed && !begun && !queues->empty()) out.line(out.paint(header, Colour::faint));
        begun = true;
        show_page(out, records, *queues, print);
        cursor = wanted.empty() ? page["next"].text() : "";
    } while (!cursor.empty());
    if (!out.is_text()) records.end();
    return kDone;
}

Answer<int> run_list(Invocation& invocation) {
    return show_queues(invocation, print_queue, "QUEUE                   SIZE      LATENCY STATE");
}

Answer<int> run_latency(Invocation& invocation) {
    const auto print = [](Output& out, JsonView queue) {
        out.line(padded(printable(queue["name"].text()), 24) +
                 format_duration(queue["latency_ms"].number()));
    };
    return show_queues(invocation, print, "QUEUE                   LATENCY");
}

Answer<int> change(Invocation& invocation, std::string_view verb, std::string_view done) {
    const auto& names = invocation.args.words;
    if (auto good = check_names(names); !good) return tl::unexpected(good.error());
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto reply = ask(*client, verb, JsonWriter::object().field("queues", names).done());
    if (!reply) return tl::unexpected(reply.error());
    Output& out = invocation.out;
    if (!out.is_text()) {
        out.line(JsonView(*reply).raw());
        return kDone;
    }
    for (const auto& name : names)
        out.line(out.quiet() ? name : name + " " + std::string(done));
    return kDone;
}

Answer<int> run_pause(Invocation& invocation) {
    return change(invocation, "PAUSE", "is paused: its jobs wait, running jobs finish");
}

Answer<int> run_resume(Invocation& invocation) {
    return change(invocation, "RESUME", "is resumed");
}

Answer<int> run_clear(Invocation& invocation) {
    const Args& args = invocation.args;
    const std::string& name = args.words.front();
    if (auto good = check_names(args.words); !good) return tl::unexpected(good.error());
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Output& out = invocation.out;
    const auto listed =
        ask(*client, "QUEUES",
            JsonWriter::object().field("queues", std::vector<std::string>{name}).done());
    if (!listed) return tl::unexpected(listed.error());
    const auto queues = pick(JsonView(*listed), {name});
    if (!queues) return tl::unexpected(queues.error());
    const std::string size = queues->front()["size"].text();
    if (args.has("--dry-run")) {
        out.line(out.is_text() ? "would remove " + size + " jobs of queue " + name
                               : JsonWriter::object().raw("would_remove", size).done());
        return kDone;
    }
    auto sure = confirm(args.has("--yes"),
                        "remove " + size + " waiting jobs of queue " + name + " for good", {});
    if (!sure) return tl::unexpected(sure.error());
    const auto reply = ask(*client, "CLEAR", JsonWriter::object().field("queue", name).done());
    if (!reply) return tl::unexpected(reply.error());
    const JsonView view(*reply);
    out.line(out.is_text() ? "removed " + view["removed"].text() + " jobs of queue " + name
                           : std::string(view.raw()));
    return kDone;
}

}  // namespace

const Verb kQueueList{.name = "queue list",
                      .usage = "[QUEUE...]",
                      .summary = "List queues with their size, latency and pause",
                      .examples = "jobq queue list",
                      .options = {},
                      .more = {},
                      .max_words = -1,
                      .words = Takes::queue,
                      .run = run_list};

const Verb kQueuePause{.name = "queue pause",
                       .usage = "QUEUE...",
                       .summary = "Pause queues: start no more of their jobs",
                       .examples = "jobq queue pause reports",
                       .options = {},
                       .more = {},
                       .min_words = 1,
                       .max_words = -1,
                       .words = Takes::queue,
                       .run = run_pause};

const Verb kQueueResume{.name = "queue resume",
                        .usage = "QUEUE...",
                        .summary = "Resume paused queues",
                        .examples = "jobq queue resume reports",
                        .options = {},
                        .more = {},
                        .min_words = 1,
                        .max_words = -1,
                        .words = Takes::queue,
                        .run = run_resume};

const Verb kQueueClear{
    .name = "queue clear",
    .usage = "QUEUE",
    .summary = "Remove the waiting jobs of a queue",
    .examples = "jobq queue clear reports --dry-run\njobq queue clear reports --yes",
    .options = kClearOptions,
    .more = {},
    .min_words = 1,
    .max_words = 1,
    .words = Takes::queue,
    .run = run_clear};

const Verb kQueueLatency{.name = "queue latency",
                         .usage = "[QUEUE...]",
                         .summary = "Show how long the oldest job of each queue has waited",
                         .examples = "jobq queue latency default",
                         .options = {},
                         .more = {},
                         .max_words = -1,
                         .words = Takes::queue,
                         .run = run_latency};

}  // namespace jobq::cli
