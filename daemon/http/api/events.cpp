// GET /api/v1/events: what happens, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). An event's id is
// "<epoch of this jobqd>-<number>"; who comes back with it as Last-Event-ID goes on from there, and
// an event "lost" says when that could not be done.
#include <charconv>

#include "core/base/text.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

namespace jobq::api {
namespace {

constexpr size_t kUnsentBytes = 256 << 10;
constexpr int64_t kHeartbeatMs = 15'000;  // so that both sides see a dead link

// What this daemon numbered; nullopt: nothing, or another's.
std::optional<uint64_t> number_of(std::string_view id, std::string_view epoch) {
    if (id.size() <= epoch.size() + 1 || !id.starts_with(epoch) || id[epoch.size()] != '-')
        return std::nullopt;
    id.remove_prefix(epoch.size() + 1);
    uint64_t number = 0;
    auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
    return number;
}

void write_lost(HttpExchange& exchange, int64_t count) {
    JsonWriter json;
    json.begin_object().field("event", "lost").field("count", count).end_object();
    exchange.write("event: lost\ndata: " + json.take() + "\n\n");
}

void write_waiting(HttpExchange& exchange, Events::Subscription& subscription,
                   const std::string& epoch) {
    if (subscription.lost > 0) write_lost(exchange, std::exchange(subscription.lost, 0));
    std::string text;
    for (const auto& event : subscription.waiting)
        text += "id: " + epoch + "-" + std::to_string(event->id) + "\nevent: " + event->name +
                "\ndata: " + event->json + "\n\n";
    subscription.waiting.clear();
    if (!text.empty()) exchange.write(text);
}

}  // namespace

task<void> stream_events(ApiCall call) {
    HttpExchange& exchange = *call.exchange;
    EventFilter filter;
    for (const auto& [name, value] : call.query) {
        if (name == "queue") filter.queue = value;
        if (name == "type") filter.type = value;
        if (name != "event") continue;
        for (std::string_view one : split(value, ','))
            filter.names.emplace_back(one);
    }
    Broker& broker = call.context.broker;
    const std::string& epoch = broker.names().epoch();
    const std::string* last = call.request().header("Last-Event-ID");
    const auto after = last ? number_of(*last, epoch) : std::nullopt;
    auto subscription = broker.events().resume(std::move(filter), after);
    if (last && !last->empty() && !after) subscription->lost = 1;  // of another run of jobqd
    exchange.tell_when_gone([subscription] { subscription->changed.notify_all(); });
    HttpResponse head;
    head.type = "text/event-stream";
    exchange.begin(std::move(head));
    exchange.write("retry: 2000\n\n");
    while (!exchange.gone()) {
        write_waiting(exchange, *subscription, epoch);
        co_await exchange.drained(kUnsentBytes);
        if (exchange.gone() || !subscription->waiting.empty()) continue;
        auto more = subscription->changed.wait(kHeartbeatMs);
        co_await more;
        if (subscription->waiting.empty()) exchange.write(":\n\n");  // nobody woke us
    }
    exchange.tell_when_gone({});
    exchange.end();
}

}  // namespace jobq::api
