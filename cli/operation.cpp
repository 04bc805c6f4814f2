#include "cli/operation.h"

#include "cli/interrupt.h"
#include "cli/json_object.h"
#include "cli/progress_line.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr int64_t kLookMs = 400;

std::string in_words(JsonView operation) {
    const std::string total = operation["total"].text();
    return "jobq: " + operation["done"].text() + " done, " + operation["looked_at"].text() +
           (total.empty() ? "" : " of about " + total) + " looked at" +
           (operation["stopping"].flag() ? ", stopping" : "");
}

// Asks for it, over a new connection when the last one was lost or an interrupt came between a
// request and its answer.
Answer<std::string> ask(Client& client, std::string_view verb, const std::string& id) {
    const std::string request = JsonObject().text("id", id).done();
    auto reply = client.call(verb, request);
    if (!reply && !client.alive() && !interrupted()) {
        if (auto back = client.reconnect(kReplyMs); !back && !interrupted())
            return give_up(kNoDaemon, "the connection to jobqd was lost: " + back.error().text,
                           "while that jobqd runs, operation " + id + " goes on in it");
        reply = client.call(verb, request);
    }
    if (!reply) return tl::unexpected(Failure(reply.error()));
    return std::move(*reply);
}

}  // namespace

Answer<std::string> run_operation(Client& client, Output& out, const std::string& request) {
    const InterruptScope scope;
    ProgressLine progress(out);
    const auto begun = client.call("OPERATE", request);
    if (!begun) return tl::unexpected(Failure(begun.error()));
    std::string now = *begun;
    const std::string id = JsonView(now)["id"].text();
    bool stopping = false;
    while (JsonView(now)["state"].text() == "running") {
        progress.show(in_words(JsonView(now)));
        sleep_until(monotonic_ms() + kLookMs);
        if (interrupted() && stopping)
            return give_up(kInterrupted, "interrupted: operation " + id + " may still go on");
        if (interrupted()) {
            stopping = true;
            forget_interrupt();
            // Where it was over by itself meanwhile, the next look says so.
            if (auto back = client.reconnect(kReplyMs); back)
                (void)client.call("STOP_OPERATION", JsonObject().text("id", id).done());
        }
        const auto reply = ask(client, "OPERATIONS", id);
        if (!reply && interrupted()) continue;
        if (!reply) return tl::unexpected(reply.error());
        const auto found = JsonView(*reply)["operations"].items();
        if (found.empty()) return give_up(kNotFound, "jobqd does not know operation " + id);
        now = std::string(found.front().raw());
    }
    return now;
}

}  // namespace jobq::cli
