// The verb `retry-dead`: dead jobs by id or by filter, at once or at a rate.
#include <array>
#include <charconv>

#include "cli/input/input.h"
#include "cli/line/verb_list.h"
#include "cli/verbs/act.h"
#include "cli/verbs/filter.h"
#include "cli/verbs/operation.h"
#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--all", "", "", "retry every dead job", Takes::nothing},
    Option{"--type", "", "NAME", "only jobs of this type"},
    Option{"--queue", "", "NAME", "only jobs of this queue", Takes::queue},
    Option{"--tag", "", "NAME", "only jobs with this tag"},
    Option{"--error", "", "TEXT", "only jobs whose latest error contains this text"},
    Option{"--since", "", "AGE|TIME", "only jobs that died no longer ago than this: 1h, or a time"},
    Option{"--group", "", "ID", "only jobs of one cause, by its id from --dry-run"},
    Option{"--text", "", "TEXT",
           "only jobs whose payload, tags or custom fields contain this text"},
    Option{"--rate", "", "N/s", "retry at most N jobs per second; ^C leaves the rest dead"},
    Option{"--dry-run", "-n", "", "count the jobs, grouped by error", Takes::nothing},
    Option{"--yes", "-y", "", "do not ask for confirmation", Takes::nothing},
};

struct Counts {
    int64_t matched = 0, retried = 0, refused = 0;
    std::string why;                  // the last of those was refused
    std::vector<std::string> groups;  // raw JSON, those of the first page that had some
};

// Runs over the dead set page by page.
Answer<Counts> sweep(Client& client, const JsonWriter& filter, bool dry) {
    Counts counts;
    std::string cursor;
    do {
        JsonWriter request = filter;
        request.field("dry_run", dry);
        if (!cursor.empty()) request.field("cursor", cursor);
        const auto reply = client.call("RETRY_DEAD", request.done());
        if (!reply) return tl::unexpected(Failure(reply.error()));
        const JsonView view(*reply);
        counts.matched += view["matched"].number();
        counts.retried += view["retried"].number();
        counts.refused += view["refused"].number();
        if (view["why"].exists()) counts.why = view["why"].text();
        for (const JsonView group : view["groups"].items())
            counts.groups.emplace_back(group.raw());
        cursor = view["next"].text();
    } while (!cursor.empty());
    return counts;
}

struct Group {
    std::string id, type, error_type, message;
    int64_t count = 0;
};

// Pages may name the same group again.
std::vector<Group> merged(const std::vector<std::string>& raw) {
    std::vector<Group> groups;
    for (const auto& text : raw) {
        const JsonView view(text);
        Group group{view["group"].text(), view["type"].text(), view["error_type"].text(),
                    view["message"].text(), view["count"].number()};
        const auto same = [&group](const Group& other) { return other.id == group.id; };
        const auto found = std::find_if(groups.begin(), groups.end(), same);
        if (found == groups.end()) {
            groups.push_back(std::move(group));
        } else {
            found->count += group.count;
        }
    }
    std::sort(groups.begin(), groups.end(),
              [](const Group& a, const Group& b) { return a.count > b.count; });
    return groups;
}

void print_counts(Output& out, const Counts& counts, bool dry) {
    const auto groups = merged(counts.groups);
    if (!out.is_text()) {
        std::string array = "[";
        for (const auto& group : groups) {
            auto one = JsonWriter::object();
            one.field("group", group.id)
                .field("type", group.type)
                .field("error_type", group.error_type);
            one.field("message", group.message).field("count", group.count);
            array += (array.size() > 1 ? "," : "") + one.done();
        }
        auto all = JsonWriter::object();
        all.field("matched", counts.matched).field("retried", counts.retried);
        if (counts.refused > 0) all.field("refused", counts.refused);
        if (dry) all.raw("groups", array + "]");
        out.line(all.done());
        return;
    }
    for (const auto& group : dry ? groups : std::vector<Group>())
        out.line(padded(std::to_string(group.count), 8) + padded(printable(group.id), 18) +
                 padded(printable(group.type), 16) + padded(printable(group.error_type), 16) +
                 printable(group.message));
    out.line(dry ? "would retry " + std::to_string(counts.matched) + " dead jobs"
                 : std::to_string(counts.retried) + " dead jobs are ready again");
}

// Jobs a second; 0: not given.
Answer<int64_t> read_rate(const Args& args) {
    if (!args.has("--rate")) return 0;
    const std::string& text = args.text("--rate");
    std::string_view digits = text;
    if (digits.ends_with("/s")) digits.remove_suffix(2);
    int64_t rate = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, rate);
    if (error != std::errc() || stop != end || rate < 1 || rate > limits::kOperationRateMax)
        return give_up(kUsage,
                       "--rate: '" + printable(text) + "' is not a rate from 1 to " +
                           std::to_string(limits::kOperationRateMax) + " jobs per second",
                       "use 50/s, for example");
    return rate;
}

// As an operation of jobqd, which keeps to the rate.
Answer<int> retry_at_rate(Invocation& invocation, Client& client, JsonWriter filter, int64_t rate) {
    filter.field("state", "dead");
    auto request = JsonWriter::object();
    request.field("action", "retry").field("rate", rate).raw("filter", filter.done());
    const auto ended = run_operation(client, invocation.out, request.done());
    if (!ended) return tl::unexpected(ended.error());
    const JsonView operation(*ended);
    const std::string state = operation["state"].text(), trouble = operation["trouble"].text();
    const int64_t retried = operation["done"].number(), failed = operation["failed"].number();
    Output& out = invocation.out;
    if (!out.is_text()) {
        auto all = JsonWriter::object();
        all.field("matched", operation["matched"].number()).field("retried", retried);
        out.line(all.field("failed", failed).field("state", state).done());
    } else {
        out.line(std::to_string(retried) + " dead jobs are ready again");
    }
    if (state == "failed")
        return give_up(kTryAgain, "the retry stopped: " + printable(trouble),
                       "the other jobs are still dead; run the same command again to continue");
    if (failed > 0)
        out.note(std::to_string(failed) +
                 " jobs changed their state meanwhile or were refused: " + printable(trouble));
    if (state == "finished") return failed > 0 ? kJobFailed : kDone;
    out.note("stopped: the other jobs are still dead; run the same command again to continue");
    return kInterrupted;
}

Answer<int> run_retry_dead(Invocation& invocation) {
    const Args& args = invocation.args;
    auto filter = JsonWriter::object();
    if (auto good = add_filter(args, filter); !good) return tl::unexpected(good.error());
    const auto rate = read_rate(args);
    if (!rate) return tl::unexpected(rate.error());
    if (!args.words.empty()) {
        if (args.has("--all") || *rate > 0 || !filter.empty())
            return give_up(kUsage, "ids can't be used with filters or --rate",
                           "use jobq retry-dead JID..., or jobq retry-dead --type NAME");
        return act_on_jobs(invocation, {"RETRY", "retry", "is ready"});
    }
    if (filter.empty() && !args.has("--all"))
        return give_up(kUsage, "`jobq retry-dead` needs ids, a filter, or --all",
                       "`jobq retry-dead --all --dry-run` shows the dead jobs");
    if (args.has("--all")) filter.field("all", true);
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const bool dry = args.has("--dry-run");
    if (!dry && args.has("--all") && !args.has("--yes")) {
        const auto would = sweep(*client, filter, true);
        if (!would) return tl::unexpected(would.error());
        auto sure = confirm(false, "retry " + std::to_string(would->matched) + " dead jobs", {});
        if (!sure) return tl::unexpected(sure.error());
    }
    if (*rate > 0 && !dry) return retry_at_rate(invocation, *client, filter, *rate);
    const auto counts = sweep(*client, filter, dry);
    if (!counts) return tl::unexpected(counts.error());
    print_counts(invocation.out, *counts, dry);
    if (counts->refused == 0) return kDone;
    invocation.out.note(std::to_string(counts->refused) +
                        " were refused and left dead: " + printable(counts->why));
    return kJobFailed;
}

}  // namespace

const Verb kRetryDead{.name = "retry-dead",
                      .usage = "[JID...|-]",
                      .summary = "Retry dead jobs by id or by filter",
                      .examples =
                          "jobq retry-dead --all --dry-run\n"
                          "jobq retry-dead --type email --error 'connection refused' --rate 50/s",
                      .options = kOptions,
                      .more = {},
                      .min_words = 0,
                      .max_words = -1,
                      .run = run_retry_dead};

}  // namespace jobq::cli
