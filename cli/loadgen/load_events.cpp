#include "cli/loadgen/load_events.h"

#include <poll.h>

#include "cli/base/interrupt.h"
#include "cli/link/client.h"
#include "core/base/time.h"
#include "core/json/view.h"

namespace jobq::cli {
namespace {

constexpr int64_t kSilenceUs = 1'000'000;  // events come at once, or are lost

}  // namespace

LoadEvents::LoadEvents(LoadLink link, const LoadIds& ids, const LoadBook& book, LoadResult& result)
    : link_(std::move(link)),
      ids_(ids),
      book_(book),
      result_(result),
      wall_ahead_us_(wall_us() - monotonic_us()) {}

Answer<LoadEvents> LoadEvents::open(const Target& target, const LoadIds& ids, const LoadBook& book,
                                    LoadResult& result) {
    auto link = LoadLink::open(target);
    if (!link) return tl::unexpected(link.error());
    link->out() =
        "JOBQ EVENTS {\"types\":[\"finished\",\"retry\",\"dead\",\"cancelled\",\"expired\"]}\n";
    if (!link->flush())
        return give_up(kNoDaemon, "the connection to jobqd was lost while asking for events");
    return LoadEvents(std::move(*link), ids, book, result);
}

bool LoadEvents::take() {
    if (!link_.fill()) return false;
    while (const auto reply = link_.next()) {
        if (reply->is_error) return false;
        note(reply->text);
    }
    return !link_.broken();
}

void LoadEvents::note(std::string_view text) {
    const JsonView event(text);
    const std::string name = event["event"].text();
    if (name == "lost") {
        result_.events_lost += event["count"].number();
        return;
    }
    const auto number = ids_.number(event["jid"].text());
    if (!number) return;  // of somebody else
    const auto request = size_t(*number / book_.batch);
    if (request >= book_.asked_us.size()) return;
    if (name != "retry") ++result_.events_seen;
    const int64_t asked_us = book_.asked_us[request] + wall_ahead_us_;
    const auto started = parse_rfc3339_us(event["started_at"].text());
    const auto ended = parse_rfc3339_us(event["ended_at"].text());
    if (started && event["attempt"].number() == 1) result_.start.record(*started - asked_us);
    if (ended && name != "retry") result_.finish.record(*ended - asked_us);
}

bool LoadEvents::take_rest(int64_t jobs) {
    int64_t silent_at_us = monotonic_us() + kSilenceUs;
    while (result_.events_seen + result_.events_lost < jobs && !interrupted()) {
        pollfd waiting{fd(), POLLIN, 0};
        if (!poll_until_us(&waiting, 1, silent_at_us)) break;
        if (!take()) return false;
        silent_at_us = monotonic_us() + kSilenceUs;
    }
    return true;
}

}  // namespace jobq::cli
