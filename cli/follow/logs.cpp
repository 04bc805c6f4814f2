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
#include "core/base/base64.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/job/kept_output.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--follow", "-f", "", "follow the log until the job ends", Takes::nothing},
    Option{"--attempt", "", "N", "the log of this attempt (default: the latest)"},
    Option{"--stdout", "", "", "also print the standard output", Takes::nothing},
    Option{"--timestamps", "", "", "print the time in front of each line", Takes::nothing},
};

// What a message brings.
struct LogPiece {
    std::string bytes;   // that were not given on before
    LeftOut left_out{};  // before them
    bool is_new = false;
};

// How much of each stream of each attempt was given on: after a lost connection the daemon starts
// from the beginning.
class Seen {
  public:
    void restart() {
        for (auto& [stream, place] : places_)
            place.now = 0;
    }

    // What is new in a message.
    LogPiece fresh(JsonView message) {
        LogPiece piece;
        piece.bytes = bytes_of(message);
        auto& place = places_[{message["attempt"].number(), message["stream"].text()}];
        if (const auto at = message["at"].maybe_number(); at && *at >= 0) place.now = *at;
        const int64_t before = place.now;
        place.now += int64_t(piece.bytes.size());
        if (const int64_t missing = message["left_out"].number(); missing > 0) place.now += missing;
        const int64_t furthest = std::exchange(place.furthest, std::max(place.furthest, place.now));
        const int64_t here = place.now - int64_t(piece.bytes.size());
        if (here > furthest) piece.left_out = {furthest, here - furthest};
        const int64_t known = std::clamp<int64_t>(furthest - here, 0, place.now - here);
        piece.is_new = place.now > furthest || before > furthest;
        piece.bytes.erase(0, size_t(known));
        return piece;
    }

  private:
    struct Place {
        int64_t now = 0, furthest = 0;
    };

    static std::string bytes_of(JsonView message) {
        if (message["b64"].exists()) return base64_decode(message["b64"].text()).value_or("");
        return message["text"].text();
    }

    std::map<std::pair<int64_t, std::string>, Place> places_;
};

// Puts the time in front of each line.
class Stamped {
  public:
    std::string text(std::string_view bytes, const std::string& time) {
        std::string all;
        while (!bytes.empty()) {
            const size_t line = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
            if (fresh_line_) all += time + " ";
            all += bytes.substr(0, line);
            fresh_line_ = all.back() == '\n';
            bytes.remove_prefix(line);
        }
        return all;
    }

  private:
    bool fresh_line_ = true;
};

void tell(Output& out, JsonView message, LeftOut part) {
    out.flush();
    out.note(std::to_string(part.bytes) + " bytes of " + printable(message["stream"].text()) +
             " left out at byte " + std::to_string(part.at));
}

Answer<int> run_logs(Invocation& invocation) {
    const Args& args = invocation.args;
    const auto attempt = args.number("--attempt", 1, limits::kAttemptsMax);
    if (!attempt) return tl::unexpected(attempt.error());
    auto request = JsonWriter::object();
    request.field("jid", args.words.front()).field("follow", args.has("--follow"));
    request.field("binary", true);
    if (*attempt) request.field("attempt", **attempt);
    if (args.has("--stdout")) request.field("stdout", true);
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Output& out = invocation.out;
    Records records(out);
    const bool with_times = args.has("--timestamps");
    Stamped stamped;
    const InterruptScope scope;
    if (args.has("--follow")) end_with_reader();
    const auto end = follow_logs(*client, out, request.done(), args.has("--follow"),
                                 [&](JsonView message, const std::string& bytes) {
                                     std::string text = bytes;
                                     if (with_times)
                                         text = stamped.text(bytes, message["time"].text());
                                     if (!out.is_text()) {
                                         records.add(message.raw());
                                     } else {
                                         out.raw(out.on_terminal() ? for_terminal(text) : text);
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
            const LogPiece piece = known.fresh(view);
            if (piece.left_out) tell(out, view, piece.left_out);
            if (piece.is_new) seen(view, piece.bytes);
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
