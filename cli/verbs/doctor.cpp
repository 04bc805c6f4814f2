// The verb `doctor`: does all that is stored fit together? With --fix it is repaired.
#include <array>

#include "cli/base/interrupt.h"
#include "cli/input/input.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/progress_line.h"
#include "cli/terminal/show.h"
#include "core/base/text.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--fix", "", "", "repair what is found, without losing a job", Takes::nothing},
    Option{"--yes", "-y", "", "do not ask for confirmation", Takes::nothing},
};

struct Checked {
    int64_t found = 0, fixed = 0, looked_at = 0;
    bool cut_short = false;
};

void print_finding(Output& out, JsonView one) {
    const std::string what = printable(one["what"].text()), where = printable(one["where"].text());
    if (out.quiet()) return out.line(what);
    const bool fixed = one["fixed"].flag();
    out.line(out.paint(fixed ? "repaired " : "found ", fixed ? Colour::good : Colour::bad) +
             one["kind"].text() + " " + what + (where.empty() ? "" : " (" + where + ")") + ": " +
             one[fixed ? "repair" : "means"].text());
}

// Prints the findings as they come; `records` null leaves them out.
Answer<Checked> check(Client& client, Output& out, Records& records, bool fix) {
    constexpr int64_t kSilenceMs = 120'000;
    Checked checked;
    ProgressLine progress(out);
    client.send("DOCTOR", JsonWriter::object().field("fix", fix).done());
    while (true) {
        const auto message = client.receive(monotonic_ms() + kSilenceMs);
        if (interrupted())
            return give_up(kInterrupted, "interrupted; the findings so far are above");
        if (!message) {
            Failure failure(message.error());
            if (!client.alive()) failure.status = kNoDaemon;
            return tl::unexpected(std::move(failure));
        }
        const JsonView page(*message);
        progress.clear();
        for (const JsonView one : page["findings"].items()) {
            ++checked.found;
            checked.fixed += one["fixed"].flag();
            if (out.is_text()) {
                print_finding(out, one);
            } else {
                records.add(one.raw());
            }
        }
        checked.looked_at = page["looked_at"].number();
        checked.cut_short = page["cut_short"].flag();
        if (page["end"].flag()) return checked;
        out.flush();
        progress.show("jobq: checked " + page["looked_at"].text() + " of about " +
                      page["expected"].text() + " entries");
    }
}

std::string counted(int64_t count, const char* word) {
    return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

void sum_up(Output& out, const Checked& checked) {
    if (!out.is_text() || out.quiet()) return;
    const std::string looked = " (" + std::to_string(checked.looked_at) +
                               (checked.looked_at == 1 ? " entry checked)" : " entries checked)");
    out.flush();
    if (checked.found == 0) {
        out.line(out.paint("healthy", Colour::good) + looked);
    } else if (checked.fixed == checked.found) {
        out.line("repaired " + counted(checked.found, "finding") + looked);
    } else {
        out.line("found " + counted(checked.found, "finding") + looked +
                 "; `jobq doctor --fix` repairs them");
    }
    if (checked.cut_short)
        out.note(
            "the rest can be checked once keys of a wrong type are set aside: run `jobq doctor "
            "--fix`");
}

Answer<int> run_doctor(Invocation& invocation) {
    const Args& args = invocation.args;
    Output& out = invocation.out;
    const bool fix = args.has("--fix"), yes = args.has("--yes");
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const InterruptScope scope;
    Records records(out);
    if (fix && !yes) {
        // Who is asked sees first what it is about.
        const bool asks = out.is_text() && out.talks_to_terminal();
        if (!asks) {
            auto sure = confirm(false, "repair the store", {"-"});
            return tl::unexpected(sure.error());
        }
        auto seen = check(*client, out, records, false);
        if (!seen) return tl::unexpected(seen.error());
        sum_up(out, *seen);
        if (seen->found == 0) return kDone;
        out.flush();
        auto sure = confirm(false, "repair " + counted(seen->found, "finding"), {});
        if (!sure) return tl::unexpected(sure.error());
    }
    auto checked = check(*client, out, records, fix);
    if (!checked) return tl::unexpected(checked.error());
    if (!out.is_text()) records.end();
    sum_up(out, *checked);
    return checked->fixed == checked->found ? kDone : kJobFailed;
}

}  // namespace

const Verb kDoctor{.name = "doctor",
                   .usage = "",
                   .summary = "Check the store for inconsistencies, and repair them",
                   .examples = "jobq doctor\njobq doctor --fix\njobq doctor --fix --yes --json",
                   .options = kOptions,
                   .more = {},
                   .run = run_doctor};

}  // namespace jobq::cli
