#include "cli/verbs/operation.h"

#include "cli/base/interrupt.h"
#include "cli/terminal/progress_line.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr int64_t kLookMs = 400;

std::string in_words(JsonView operation) {
    const std::string total = operation["total"].text();
    return "jobq: " + operation["done"].text() + " done, " + operation["looked_at"].text() +
           (total.empty() ? "" : " of about " + total) + " checked" +
           (operation["stopping"].flag() ? ", stopping" : "");
}

// How far it is; over a new connection when the last one was lost.
Answer<std::string> look_at(Client& client, const std::string& id) {
    const std::string request = JsonWriter::object().field("id", id).done();
    auto reply = client.call("OPERATIONS", request);
    if (!reply && !client.alive() && !interrupted()) {
        if (auto back = client.reconnect(kReplyMs); !back && !interrupted())
            return give_up(kNoDaemon, "the connection to jobqd was lost: " + back.error().text,
                           "operation " + id + " continues while that jobqd runs");
        reply = client.call("OPERATIONS", request);
    }
    if (!reply) return tl::unexpected(Failure(reply.error()));
    const auto found = JsonView(*reply)["operations"].items();
    if (found.empty()) return give_up(kNotFound, "jobqd does not know operation " + id);
    return std::string(found.front().raw());
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
            return give_up(kInterrupted, "interrupted: operation " + id + " may still be running");
        if (interrupted()) {
            stopping = true;
            forget_interrupt();
            // Over a new connection: it may have come between a request and its answer. Where the
            // operation is over by itself meanwhile, the next look says so.
            if (auto back = client.reconnect(kReplyMs); back)
                (void)client.call("STOP_OPERATION", JsonWriter::object().field("id", id).done());
        }
        auto seen = look_at(client, id);
        if (!seen && interrupted()) continue;
        if (!seen) return tl::unexpected(seen.error());
        now = std::move(*seen);
    }
    return now;
}

}  // namespace jobq::cli
