// The verbs that change jobs by id: cancel, retry, rm.
#include "cli/verbs/act.h"

#include <array>

#include "cli/input/input.h"
#include "cli/line/verb_list.h"
#include "core/base/text.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr std::array kDryRunOnly{
    Option{"--dry-run", "-n", "", "show what would be done", Takes::nothing},
};
constexpr std::array kAsking{
    Option{"--dry-run", "-n", "", "show what would be done", Takes::nothing},
    Option{"--yes", "-y", "", "do not ask for confirmation", Takes::nothing},
};

// The worst of several statuses: one alone keeps its own, several end with 1.
struct Tally {
    int good = 0, bad = 0, last_status = kDone;

    int status() const {
        if (bad == 0) return kDone;
        return bad == 1 && good == 0 ? last_status : kJobFailed;
    }
};

void print_one(Output& out, Records& records, JsonView one, std::string_view done, Tally& tally) {
    const std::string jid = one["jid"].text();
    const bool ok = one["ok"].flag();
    if (ok) {
        ++tally.good;
    } else {
        ++tally.bad;
        tally.last_status = info(error_code_from_name(one["error"].text())).exit_status;
    }
    if (!out.is_text()) {
        records.add(one.raw());
    } else if (!ok) {
        std::string text = one["text"].text();
        if (text.empty()) text = one["error"].text();
        if (text.find(jid) == std::string::npos) text.insert(0, jid + ": ");
        out.raw_error("jobq: " + printable(text) + "\n");
    } else if (out.quiet()) {
        out.line(jid);
    } else {
        std::string was = one["was"].text();
        if (!was.empty()) was.insert(0, "was ");
        if (const std::string note = one["note"].text(); !note.empty())
            was += (was.empty() ? "" : "; ") + note;
        out.line(printable(jid) + " " + std::string(done) +
                 (was.empty() ? "" : " (" + printable(was) + ")"));
    }
}

// --dry-run: the state of each job, and what would be done.
Answer<> show_plan(Client& client, Output& out, Records& records,
                   const std::vector<std::string>& jids, std::string_view verb, Tally& tally) {
    const auto reply = client.call("STATUS", JsonWriter::object().field("jids", jids).done());
    if (!reply) return tl::unexpected(Failure(reply.error()));
    for (const JsonView job : JsonView(*reply)["jobs"].items()) {
        const std::string jid = job["jid"].text();
        if (job["error"].exists()) {
            ++tally.bad;
            tally.last_status = kNotFound;
            out.raw_error("jobq: job '" + printable(jid) + "' does not exist\n");
            continue;
        }
        ++tally.good;
        if (!out.is_text()) {
            records.add(job.raw());
        } else if (out.quiet()) {
            out.line(jid);
        } else {
            out.line("would " + std::string(verb) + " " + printable(jid) + " (" +
                     printable(job["state"].text()) + ")");
        }
    }
    return {};
}

Answer<int> run_cancel(Invocation& invocation) {
    return act_on_jobs(invocation, {"CANCEL", "cancel", "cancelled"});
}

Answer<int> run_retry(Invocation& invocation) {
    return act_on_jobs(invocation, {"RETRY", "retry", "is ready"});
}

Answer<int> run_release(Invocation& invocation) {
    return act_on_jobs(invocation, {"RELEASE", "release", "released"});
}

Answer<int> run_rm(Invocation& invocation) {
    const Args& args = invocation.args;
    if (!args.has("--dry-run")) {
        const size_t count = args.words.size();
        const std::string what =
            count == 1 && args.words[0] != "-" ? "job " + args.words[0] : "these jobs";
        auto sure = confirm(args.has("--yes"), "remove " + what + " for good", args.words);
        if (!sure) return tl::unexpected(sure.error());
    }
    return act_on_jobs(invocation, {"RM", "remove", "removed"});
}

}  // namespace

Answer<int> act_on_jobs(Invocation& invocation, const Act& act) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Output& out = invocation.out;
    Records records(out);
    Tally tally;
    const bool dry = invocation.args.has("--dry-run");
    auto done =
        each_ids(invocation.args.words, [&](const std::vector<std::string>& jids) -> Answer<> {
            if (dry) return show_plan(*client, out, records, jids, act.verb, tally);
            const auto reply =
                client->call(act.wire, JsonWriter::object().field("jids", jids).done());
            if (!reply) return tl::unexpected(Failure(reply.error()));
            for (const JsonView one : JsonView(*reply)["jobs"].items())
                print_one(out, records, one, act.done, tally);
            return {};
        });
    if (!done) return tl::unexpected(done.error());
    if (!out.is_text()) records.end();
    return tally.status();
}

const Verb kCancel{
    .name = "cancel",
    .usage = "JID...|-",
    .summary = "Cancel waiting and running jobs",
    .examples = "jobq cancel 01KB7D3V9GQ2J5\njobq list --queue reports -q | jobq cancel -",
    .options = kDryRunOnly,
    .more = {},
    .min_words = 1,
    .max_words = -1,
    .run = run_cancel};

const Verb kRetry{.name = "retry",
                  .usage = "JID...|-",
                  .summary = "Make dead, retrying or scheduled jobs ready now",
                  .examples = "jobq retry 01KB7D3V9GQ2J5\njobq list --state dead -q | jobq retry -",
                  .options = kDryRunOnly,
                  .more = {},
                  .min_words = 1,
                  .max_words = -1,
                  .run = run_retry};

const Verb kRelease{.name = "release",
                    .usage = "JID...|-",
                    .summary = "Release running jobs whose worker is gone",
                    .examples = "jobq release 01KB7D3V9GQ2J5",
                    .options = kDryRunOnly,
                    .more = {},
                    .min_words = 1,
                    .max_words = -1,
                    .run = run_release};

const Verb kRm{.name = "rm",
               .usage = "JID...|-",
               .summary = "Remove jobs that are not running",
               .examples = "jobq rm 01KB7D3V9GQ2J5\njobq list --state dead -q | jobq rm --yes -",
               .options = kAsking,
               .more = {},
               .min_words = 1,
               .max_words = -1,
               .run = run_rm};

}  // namespace jobq::cli
