// The verbs `ping` and `version`.
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/show.h"
#include "core/base/version.h"

namespace jobq::cli {
namespace {

void print_text(Output& out, JsonView pong) {
    std::string words = "jobqd " + printable(pong["version"].text()) + " is " +
                        printable(pong["state"].text()) + ": pid " + pong["pid"].text() + ", up " +
                        uptime_words(pong["uptime_s"].number());
    for (const char* place : {"unix", "tcp", "http"})
        if (const std::string at = pong[place].text(); !at.empty())
            words += std::string(", ") + place + " " + printable(at);
    if (pong["dev"].flag()) words += ", development mode";
    out.line(words);
    if (!pong["storage_text"].text().empty())
        out.line("new jobs are refused: " + printable(pong["storage_text"].text()));
    if (const std::string note = pong["storage_note"].text(); !note.empty())
        out.line("since it started: " + printable(note));
}

Answer<int> run_ping(Invocation& invocation) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto reply = client->call("PING", "{}");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    const JsonView pong(*reply);
    if (invocation.out.is_text()) {
        print_text(invocation.out, pong);
    } else {
        invocation.out.line(pong.raw());
    }
    const bool ready = pong["state"].text() == "ready" && pong["storage"].text() != "refused";
    return ready ? kDone : kTryAgain;
}

Answer<int> run_version(Invocation& invocation) {
    const std::string text(version());
    invocation.out.line(invocation.out.is_text() ? "jobq " + text
                                                 : "{\"version\":\"" + text + "\"}");
    return kDone;
}

}  // namespace

const Verb kPing{.name = "ping",
                 .usage = "",
                 .summary = "Check that the daemon answers and is ready",
                 .examples = "jobq ping && echo ready",
                 .options = {},
                 .more = {},
                 .run = run_ping};

const Verb kVersion{.name = "version",
                    .usage = "",
                    .summary = "Print the version of jobq",
                    .examples = "jobq version",
                    .options = {},
                    .more = {},
                    .run = run_version};

}  // namespace jobq::cli
