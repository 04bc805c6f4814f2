// The verb `events`: what happens, as JSON lines, until ^C.
#include <array>

#include "cli/base/interrupt.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--follow", "-f", "", "run until ^C, which is what events always does", Takes::nothing},
    Option{"--event", "", "NAME",
           "print only events of this name: enqueued, started, finished, retry, dead, ..."},
    Option{"--count", "", "N", "end after N events"},
};

Answer<int> run_events(Invocation& invocation) {
    const Args& args = invocation.args;
    const auto count = args.number("--count", 1, int64_t(1) << 40);
    if (!count) return tl::unexpected(count.error());
    auto request = JsonWriter::object();
    if (args.has("--event")) request.field("types", args.all("--event"));
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const InterruptScope scope;
    end_with_reader();
    constexpr int64_t kSilenceMs = int64_t(1) << 50;  // nothing may happen for as long as it likes
    client->send("EVENTS", request.done());
    for (int64_t seen = 0; !*count || seen < **count; ++seen) {
        const auto event = client->receive(monotonic_ms() + kSilenceMs);
        if (interrupted()) return kInterrupted;
        if (!event) {
            Failure failure(event.error());
            if (!client->alive()) failure.status = kNoDaemon;
            return tl::unexpected(std::move(failure));
        }
        invocation.out.line(JsonView(*event).raw());
        invocation.out.flush();
    }
    return kDone;
}

}  // namespace

const Verb kEvents{.name = "events",
                   .usage = "",
                   .summary = "Print events, one JSON object per line, until ^C",
                   .examples = "jobq events --event dead\njobq events | jq .type",
                   .options = kOptions,
                   .more = {},
                   .run = run_events};

}  // namespace jobq::cli
