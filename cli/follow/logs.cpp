#include "cli/follow/logs.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "cli/base/interrupt.h"
#include "cli/follow/wait_for_jobs.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/terminal_text.h"
#include "core/base/limits.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--follow", "-f", "", "follow the log until the job ends", Takes::nothing},
    Option{"--attempt", "", "N", "the log of this attempt (default: the latest)"},
    Option{"--stdout", "", "", "also print the standard output", Takes::nothing},
};

// How much of each stream of each attempt was given on: after a lost connection the daemon starts
// from the beginning.
class Seen {
  public:
    void restart() {
        for (auto& [stream, place] : places_)
            place.now = 0;
    }

    // The part of `text` that is new.
    std::string fresh(JsonView message) {
        const std::string text = message["text"].text();
        auto& place = places_[{message["attempt"].number(), message["stream"].text()}];
        if (const auto at = message["at"].maybe_number(); at && *at >= 0) place.now = size_t(*at);
        const size_t before = place.now;
        place.now += text.size();
        const size_t furthest = std::exchange(place.furthest, std::max(place.furthest, place.now));
        if (before > furthest) {
            const std::string missing = std::to_string(before - furthest);
            return "\n... " + missing + " bytes left out ...\n" + text;
        }
        const size_t known = furthest - before;
        return known >= text.size() ? std::string() : text.substr(known);
    }

  private:
    struct Place {
        size_t now = 0, furthest = 0;
    };

    std::map<std::pair<int64_t, std::string>, Place> places_;
};

Answer<int> run_logs(Invocation& invocation) {
    const Args& args = invocation.args;
    const auto attempt = args.number("--attempt", 1, limits::kAttemptsMax);
    if (!attempt) return tl::unexpected(attempt.error());
    auto request = JsonWriter::object();
    request.field("jid", args.words.front()).field("follow", args.has("--follow"));
    if (*attempt) request.field("attempt", **attempt);
    if (args.has("--stdout")) request.field("stdout", true);
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Output& out = invocation.out;
    Records records(out);
    const InterruptScope scope;
    const auto end = follow_logs(*client, out, request.done(), args.has("--follow"),
                                 [&](JsonView message, const std::string& text) {
                                     if (out.is_text()) {
                                         out.raw(out.on_terminal() ? for_terminal(text) : text);
                                     } else {
                                         records.add(message.raw());
                                     }
                                     if (args.has("--follow")) out.flush();
                                 });
    if (!end) return tl::unexpected(end.error());
    if (!out.is_text()) records.end();
    return *end == FollowEnd::interrupted ? kInterrupted : kDone;
}

}  // namespace

Answer<FollowEnd> follow_logs(
    Client& client, Output& out, const std::string& request, bool follow,
    const std::function<void(JsonView message, const std::string& text)>& seen) {
    constexpr int64_t kSilenceMs = int64_t(1) << 50;  // a job may be silent for as long as it runs
    Seen known;
    client.send("LOGS", request);
    while (true) {
        const auto message = client.receive(monotonic_ms() + (follow ? kSilenceMs : kReplyMs));
        if (interrupted()) return FollowEnd::interrupted;
        if (message) {
            const JsonView view(*message);
            if (view["end"].flag()) return FollowEnd::over;
            const std::string text = known.fresh(view);
            if (!text.empty()) seen(view, text);
            continue;
        }
        const bool away = !client.alive() || message.error().code == ErrorCode::unavailable;
        if (!follow || !away) return tl::unexpected(Failure(message.error()));
        auto back = come_back(client, out, message.error());
        if (interrupted()) return FollowEnd::interrupted;
        if (!back) return tl::unexpected(back.error());
        known.restart();
        client.send("LOGS", request);
    }
}

const Verb kLogs{.name = "logs",
                 .usage = "JID",
                 .summary = "Print what a job wrote to its standard error",
                 .examples = "jobq logs -f 01KB7D3V9GQ2J5",
                 .options = kOptions,
                 .more = {},
                 .min_words = 1,
                 .max_words = 1,
                 .run = run_logs};

}  // namespace jobq::cli
