#include "cli/follow/result.h"

#include "cli/follow/logs.h"
#include "cli/line/verb_list.h"
#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/job/state.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

// The bytes of one that is no JSON.
std::string bytes_of(JsonView reply) {
    if (reply["b64"].exists()) return base64_decode(reply["b64"].text()).value_or("");
    return reply["text"].text();
}

void tell_left_out(Output& out, JsonView reply) {
    const int64_t bytes = reply["left_out"].number();
    if (bytes <= 0) return;
    out.flush();
    const std::string why = reply["more"].flag() ? "; `jobq result -o raw` has what is kept of them"
                                                 : ", as it is longer than what is kept";
    out.note(std::to_string(bytes) + " bytes of the result left out at byte " +
             std::to_string(reply["left_out_at"].number()) + why);
}

// JSON results end with a line break, other bytes stand as the handler wrote them; on a terminal
// the prompt gets a line of its own.
void print_text(Output& out, JsonView reply) {
    if (reply["result"].exists()) {
        out.line(reply["result"].raw());
        return;
    }
    const std::string bytes = bytes_of(reply);
    out.raw(bytes);
    if (out.on_terminal() && !bytes.empty() && bytes.back() != '\n') out.raw("\n");
    tell_left_out(out, reply);
}

// What is longer than one answer, piece by piece.
Answer<int> stream_raw(Client& client, Output& out, const std::string& jid, JsonView reply) {
    auto request = JsonWriter::object();
    request.field("jid", jid).field("stdout", true).field("binary", true);
    request.field("attempt", reply["attempt"].number());
    bool whole = true;
    const auto end = follow_logs(client, out, request.done(), false,
                                 [&](JsonView message, const std::string& bytes) {
                                     if (message["stream"].text() != "stdout") return;
                                     whole = whole && !message["left_out"].exists();
                                     out.raw(bytes);
                                 });
    if (!end) return tl::unexpected(end.error());
    if (whole || !reply["json"].flag()) return kDone;
    return give_up(kBadData, "the result of job " + jid + " is JSON, and not all of it was kept",
                   "set output in [type.NAME] of the configuration to keep more of the next");
}

Answer<int> run_result(Invocation& invocation) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const std::string& jid = invocation.args.words.front();
    Output& out = invocation.out;
    const bool raw = out.format() == Format::raw;
    auto request = JsonWriter::object();
    request.field("jid", jid);
    // To people a terminal shows them mended.
    if (!out.on_terminal() || raw) request.field("binary", true);
    if (raw) request.field("raw", true);
    const auto reply = client->call("RESULT", request.done());
    if (!reply && reply.error().code == ErrorCode::conflict)
        return give_up(info(ErrorCode::conflict).exit_status, reply.error().text,
                       "`jobq status " + jid + "` shows its state");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    const JsonView view(*reply);
    if (raw && view["left_out"].exists()) return stream_raw(*client, out, jid, view);
    if (raw) {
        out.raw(bytes_of(view));
    } else if (!out.is_text()) {
        out.line(view.raw());
    } else if (out.quiet()) {
        out.line(jid);
    } else {
        print_text(out, view);
    }
    return kDone;
}

}  // namespace

Answer<> print_outcome(Client& client, Output& out, JsonView job) {
    if (out.quiet()) {
        out.line(job["jid"].text());
        return {};
    }
    std::string reply;
    if (job["has_result"].flag()) {
        auto request = JsonWriter::object();
        request.field("jid", job["jid"].text()).field("binary", !out.on_terminal());
        auto answer = client.call("RESULT", request.done());
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
    for (const char* key : {"result", "text", "b64", "binary", "left_out_at", "left_out"})
        if (result[key].exists()) merged.raw(key, result[key].raw());
    out.line(merged.done());
    return {};
}

const Verb kResult{.name = "result",
                   .usage = "JID",
                   .summary = "Print what a job returned",
                   .examples =
                       "jobq result 01KB7D3V9GQ2J5 > report.json\n"
                       "jobq result -o raw 01KB7D3V9GQ2J5 > page.png",
                   .options = {},
                   .more = {},
                   .min_words = 1,
                   .max_words = 1,
                   .run = run_result};

}  // namespace jobq::cli
