#include "cli/follow/result.h"

#include "cli/line/verb_list.h"
#include "core/base/text.h"
#include "core/job/state.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

// JSON results end with a line break, other bytes stand as the handler wrote them; on a terminal
// the prompt gets a line of its own.
void print_text(Output& out, JsonView reply) {
    if (reply["result"].exists()) {
        out.line(reply["result"].raw());
        return;
    }
    const std::string text = reply["text"].text();
    out.raw(text);
    if (out.on_terminal() && !text.empty() && text.back() != '\n') out.raw("\n");
    if (reply["binary"].flag()) out.note("the result is not UTF-8; invalid bytes were replaced");
}

Answer<int> run_result(Invocation& invocation) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const std::string& jid = invocation.args.words.front();
    const auto reply = client->call("RESULT", JsonWriter::object().field("jid", jid).done());
    if (!reply && reply.error().code == ErrorCode::conflict)
        return give_up(info(ErrorCode::conflict).exit_status, reply.error().text,
                       "`jobq status " + jid + "` shows its state");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    const JsonView view(*reply);
    if (!invocation.out.is_text()) {
        invocation.out.line(view.raw());
    } else if (invocation.out.quiet()) {
        invocation.out.line(jid);
    } else {
        print_text(invocation.out, view);
    }
    return view["state"].text() == name(State::succeeded) ? kDone : kJobFailed;
}

}  // namespace

Answer<> print_outcome(Client& client, Output& out, JsonView job) {
    if (out.quiet()) {
        out.line(job["jid"].text());
        return {};
    }
    std::string reply;
    if (job["has_result"].flag()) {
        auto answer =
            client.call("RESULT", JsonWriter::object().field("jid", job["jid"].text()).done());
        if (!answer) return tl::unexpected(Failure(answer.error()));
        reply = std::move(*answer);
    }
    const JsonView result(reply);
    if (out.is_text()) {
        if (result.exists()) print_text(out, result);
        return {};
    }
    auto merged = JsonWriter::object();
    for (const auto& [key, value] : job.members())
        merged.raw(key, value.raw());
    for (const char* key : {"result", "text", "binary"})
        if (result[key].exists()) merged.raw(key, result[key].raw());
    out.line(merged.done());
    return {};
}

const Verb kResult{.name = "result",
                   .usage = "JID",
                   .summary = "Print what a job returned",
                   .examples = "jobq result 01KB7D3V9GQ2J5 > report.json",
                   .options = {},
                   .more = {},
                   .min_words = 1,
                   .max_words = 1,
                   .run = run_result};

}  // namespace jobq::cli
