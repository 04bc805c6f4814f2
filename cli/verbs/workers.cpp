// The verbs `workers list|quiet|stop`.
#include <array>

#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr std::array kAllOption{
    Option{"--all", "", "", "every worker", Takes::nothing},
};

std::string jobs_words(JsonView worker) {
    const auto jobs = worker["jobs"].items();
    std::string words = std::to_string(jobs.size());
    if (worker["slots"].exists()) words += " of " + worker["slots"].text();
    words += " busy";
    constexpr size_t kShown = 3;
    for (size_t i = 0; i < jobs.size() && i < kShown; ++i)
        words += (i == 0 ? ": " : ", ") + printable(jobs[i]["type"].text()) + " " +
                 printable(jobs[i]["jid"].text());
    if (jobs.size() > kShown) words += ", ...";
    return words;
}

void print_worker(Output& out, JsonView worker) {
    const std::string state = worker["state"].text();
    out.line(
        padded(printable(worker["wid"].text()), 28) + padded(printable(worker["kind"].text()), 9) +
        out.paint(padded(printable(state), 10), state == "running" ? Colour::plain : Colour::busy) +
        padded(printable(worker["hostname"].text()) + ":" + worker["pid"].text(), 20) +
        padded(age_words(worker["connected_at"].text()), 6) + jobs_words(worker));
}

Answer<int> run_workers(Invocation& invocation) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto reply = client->call("WORKERS", "{}");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    Output& out = invocation.out;
    Records records(out);
    const auto workers = JsonView(*reply)["workers"].items();
    if (out.is_text() && !out.quiet() && out.on_terminal() && !workers.empty())
        out.line(
            out.paint("WORKER                      KIND     STATE     HOST:PID            "
                      "SINCE JOBS",
                      Colour::faint));
    for (const JsonView worker : workers) {
        if (!out.is_text()) {
            records.add(worker.raw());
        } else if (out.quiet()) {
            out.line(worker["wid"].text());
        } else {
            print_worker(out, worker);
        }
    }
    if (!out.is_text()) records.end();
    if (workers.empty() && out.is_text() && out.on_terminal()) out.note("no worker is connected");
    return kDone;
}

Answer<int> signal_workers(Invocation& invocation, std::string_view signal, std::string_view done) {
    const Args& args = invocation.args;
    if (args.has("--all") != args.words.empty())
        return give_up(kUsage,
                       args.has("--all") ? "worker ids and --all can't be used together"
                                         : "a worker id or --all is required",
                       "`jobq workers` lists them");
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto wids = args.has("--all") ? std::vector<std::string>{"all"} : args.words;
    Output& out = invocation.out;
    Records records(out);
    for (const auto& wid : wids) {
        const auto reply = client->call(
            "SIGNAL", JsonWriter::object().field("wid", wid).field("signal", signal).done());
        if (!reply) return tl::unexpected(Failure(reply.error()));
        if (!out.is_text()) {
            records.add(JsonWriter::object()
                            .field("wid", wid)
                            .field("signal", signal)
                            .field("ok", true)
                            .done());
        } else {
            out.line(out.quiet() ? wid : printable(wid) + " " + std::string(done));
        }
    }
    if (!out.is_text()) records.end();
    return kDone;
}

Answer<int> run_quiet(Invocation& invocation) {
    return signal_workers(invocation, "quiet", "was told to take no more jobs");
}

Answer<int> run_stop(Invocation& invocation) {
    return signal_workers(invocation, "terminate", "was told to stop");
}

}  // namespace

const Verb kWorkersList{.name = "workers list",
                        .usage = "",
                        .summary = "List the connected workers and the jobs they run",
                        .examples = "jobq workers",
                        .options = {},
                        .more = {},
                        .run = run_workers};

const Verb kWorkersQuiet{.name = "workers quiet",
                         .usage = "[WORKER...]",
                         .summary = "Tell workers to finish their jobs and take no more",
                         .examples = "jobq workers quiet --all",
                         .options = kAllOption,
                         .more = {},
                         .max_words = -1,
                         .run = run_quiet};

const Verb kWorkersStop{.name = "workers stop",
                        .usage = "[WORKER...]",
                        .summary = "Tell workers to stop",
                        .examples = "jobq workers stop --all",
                        .options = kAllOption,
                        .more = {},
                        .max_words = -1,
                        .run = run_stop};

}  // namespace jobq::cli
