// The verb `retry-dead`: dead jobs by id or by filter.
#include <array>

#include "cli/act.h"
#include "cli/filter.h"
#include "cli/input.h"
#include "cli/verb_list.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--all", "", "", "every dead job", Takes::nothing},
    Option{"--type", "", "NAME", "those of that type"},
    Option{"--queue", "", "NAME", "those of that queue", Takes::queue},
    Option{"--error", "", "TEXT", "those whose latest error contains it"},
    Option{"--since", "", "AGE|TIME", "those that died not longer ago: 1h, or a time"},
    Option{"--dry-run", "-n", "", "count them, grouped by error", Takes::nothing},
    Option{"--yes", "-y", "", "do not ask", Takes::nothing},
};

struct Counts {
    int64_t matched = 0, retried = 0;
    std::vector<std::string> groups;  // raw JSON, those of the first page that had some
};

// Runs over the dead set page by page.
Answer<Counts> sweep(Client& client, const JsonObject& filter, bool dry) {
    Counts counts;
    std::string cursor;
    do {
        JsonObject request = filter;
        request.flag("dry_run", dry);
        if (!cursor.empty()) request.text("cursor", cursor);
        const auto reply = client.call("RETRY_DEAD", request.done());
        if (!reply) return tl::unexpected(Failure(reply.error()));
        const JsonView view(*reply);
        counts.matched += view["matched"].number();
        counts.retried += view["retried"].number();
        for (const JsonView group : view["groups"].items())
            counts.groups.emplace_back(group.raw());
        cursor = view["next"].text();
    } while (!cursor.empty());
    return counts;
}

struct Group {
    std::string type, error_type, message;
    int64_t count = 0;
};

// Pages may name the same group again.
std::vector<Group> merged(const std::vector<std::string>& raw) {
    std::vector<Group> groups;
    for (const auto& text : raw) {
        const JsonView view(text);
        Group group{view["type"].text(), view["error_type"].text(), view["message"].text(),
                    view["count"].number()};
        const auto same = [&group](const Group& other) {
            return other.type == group.type && other.error_type == group.error_type &&
                   other.message == group.message;
        };
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
            JsonObject one;
            one.text("type", group.type).text("error_type", group.error_type);
            one.text("message", group.message).number("count", group.count);
            array += (array.size() > 1 ? "," : "") + one.done();
        }
        JsonObject all;
        all.number("matched", counts.matched).number("retried", counts.retried);
        if (dry) all.raw("groups", array + "]");
        out.line(all.done());
        return;
    }
    for (const auto& group : dry ? groups : std::vector<Group>())
        out.line(padded(std::to_string(group.count), 8) + padded(printable(group.type), 16) +
                 padded(printable(group.error_type), 16) + printable(group.message));
    out.line(dry ? "would retry " + std::to_string(counts.matched) + " dead jobs"
                 : std::to_string(counts.retried) + " dead jobs are ready again");
}

Answer<int> run_retry_dead(Session& session) {
    const Args& args = session.args;
    JsonObject filter;
    if (auto good = add_filter(args, filter); !good) return tl::unexpected(good.error());
    if (!args.words.empty()) {
        if (args.has("--all") || !filter.empty())
            return give_up(kUsage, "ids and filters can't both be given",
                           "jobq retry-dead JID..., or jobq retry-dead --type NAME");
        return act_on_jobs(session, {"RETRY", "retry", "made ready"});
    }
    if (filter.empty() && !args.has("--all"))
        return give_up(kUsage, "`jobq retry-dead` needs ids, a filter, or --all",
                       "jobq retry-dead --all --dry-run shows what is there");
    if (args.has("--all")) filter.flag("all", true);
    auto client = session.connect();
    if (!client) return tl::unexpected(client.error());
    const bool dry = args.has("--dry-run");
    if (!dry && args.has("--all") && !args.has("--yes")) {
        const auto would = sweep(*client, filter, true);
        if (!would) return tl::unexpected(would.error());
        auto sure = confirm(false, "retrying " + std::to_string(would->matched) + " dead jobs", {});
        if (!sure) return tl::unexpected(sure.error());
    }
    const auto counts = sweep(*client, filter, dry);
    if (!counts) return tl::unexpected(counts.error());
    print_counts(session.out, *counts, dry);
    return kDone;
}

}  // namespace

const Verb kRetryDead{.name = "retry-dead",
                      .usage = "[JID...|-]",
                      .summary = "Retry dead jobs by id or by filter",
                      .examples =
                          "jobq retry-dead --all --dry-run\n"
                          "jobq retry-dead --type email --error 'connection refused'",
                      .options = kOptions,
                      .more = {},
                      .min_words = 0,
                      .max_words = -1,
                      .run = run_retry_dead};

}  // namespace jobq::cli
