// The verb `list`: a table, one job a line, page by page.
#include <array>

#include "cli/enqueue/job_options.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"
#include "cli/verbs/filter.h"
#include "core/base/limits.h"
#include "core/job/state.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--state", "", "STATE",
           "ready (default), running, scheduled, retrying, dead, succeeded, cancelled, expired",
           Takes::state},
    Option{"--queue", "", "NAME", "only jobs of this queue", Takes::queue},
    Option{"--type", "", "NAME", "only jobs of this type"},
    Option{"--tag", "", "NAME", "only jobs with this tag"},
    Option{"--error", "", "TEXT", "only jobs whose latest error contains this text"},
    Option{"--group", "", "ID",
           "only dead or retrying jobs of this cause: see retry-dead --dry-run"},
    Option{"--text", "", "TEXT",
           "only jobs whose payload, tags or custom fields contain this text"},
    Option{"--since", "", "AGE|TIME", "only jobs no older than this: 1h, or a time"},
    Option{"--limit", "", "N", "stop after N jobs (default: 100 on a terminal, otherwise all)"},
};
constexpr int64_t kTerminalLimit = 100;

// What a person wants to know of a job in a list: why it waits, or how it ended.
std::string remark(JsonView job) {
    const auto errors = job["errors"].items();
    if (!errors.empty()) {
        const std::string type = errors.back()["error_type"].text();
        const std::string message = errors.back()["message"].text();
        return type + (type.empty() || message.empty() ? "" : ": ") + message;
    }
    if (job["note"].exists()) return job["note"].text();
    return job["args_preview"].text();
}

void print_row(Output& out, JsonView job) {
    const std::string state = job["state"].text();
    constexpr size_t kRemarkBytes = 60;
    out.line(padded(printable(job["jid"].text()), 27) +
             out.paint(padded(state, 10), state_colour(state)) +
             padded(printable(job["type"].text()), 16) +
             padded(printable(job["queue"].text()), 12) +
             padded(age_words(job["created_at"].text()), 6) + padded(job["attempts"].text(), 4) +
             std::string(utf8_prefix(printable(remark(job)), kRemarkBytes)));
}

Answer<> check_state(const std::string& state) {
    if (state_from_name(state)) return {};
    std::vector<std::string_view> names(kStateNames.begin(), kStateNames.end());
    const std::string_view best = nearest(state, names);
    return give_up(
        kUsage,
        "--state: '" + printable(state) + "' is not a job state" +
            (best.empty() ? "" : "; did you mean '" + std::string(best) + "'?"),
        "use scheduled, blocked, ready, running, retrying, dead, succeeded, cancelled or expired");
}

Answer<int> run_list(Invocation& invocation) {
    const Args& args = invocation.args;
    Output& out = invocation.out;
    const std::string state = args.has("--state") ? args.text("--state") : "ready";
    if (auto good = check_state(state); !good) return tl::unexpected(good.error());
    auto filter = JsonWriter::object();
    filter.field("state", state);
    if (auto good = add_filter(args, filter); !good) return tl::unexpected(good.error());
    const auto limit = args.number("--limit", 1, int64_t(1) << 40);
    if (!limit) return tl::unexpected(limit.error());
    int64_t left = limit->value_or(out.on_terminal() ? kTerminalLimit : int64_t(1) << 40);
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Records records(out);
    std::string cursor;
    int64_t shown = 0;
    do {
        JsonWriter request = filter;
        request.field("limit", std::min<int64_t>(left, limits::kListPageMax));
        if (!cursor.empty()) request.field("cursor", cursor);
        const auto reply = client->call("LIST", request.done());
        if (!reply) return tl::unexpected(Failure(reply.error()));
        for (const JsonView job : JsonView(*reply)["jobs"].items()) {
            if (left == 0) break;
            --left;
            if (shown++ == 0 && out.is_text() && !out.quiet() && out.on_terminal())
                out.line(
                    out.paint("JID                        STATE     TYPE            QUEUE       "
                              "AGE   TRY REMARK",
                              Colour::faint));
            if (!out.is_text()) {
                records.add(job.raw());
            } else if (out.quiet()) {
                out.line(job["jid"].text());
            } else {
                print_row(out, job);
            }
        }
        cursor = JsonView(*reply)["next"].text();
    } while (!cursor.empty() && left > 0);
    if (!out.is_text()) records.end();
    if (!cursor.empty() && !limit->has_value())
        out.note("there are more jobs; use --limit N to show them");
    if (shown == 0 && out.is_text() && out.on_terminal()) out.note("no jobs match");
    return kDone;
}

}  // namespace

const Verb kList{.name = "list",
                 .usage = "",
                 .summary = "List jobs by state, queue, type, tag, error, payload or age",
                 .examples =
                     "jobq list --state dead --error timeout\n"
                     "jobq list --state dead -q | jobq retry -",
                 .options = kOptions,
                 .more = {},
                 .run = run_list};

}  // namespace jobq::cli
