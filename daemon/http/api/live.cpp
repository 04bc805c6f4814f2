// GET /api/v1/live: what the dashboard shows, as server-sent events, once a second: "history"
// first, then a "sample" each. Who reads slowly gets fewer.
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"
#include "daemon/observe/live_feed.h"

namespace jobq::api {

task<void> stream_live(ApiCall call) {
    HttpExchange& exchange = *call.exchange;
    auto viewer = call.context.live.look();
    exchange.tell_when_gone([viewer] { viewer->changed.notify_all(); });
    HttpResponse head;
    head.type = "text/event-stream";
    exchange.begin(std::move(head));
    exchange.write("retry: 2000\n\n" + call.context.live.history());
    while (!exchange.gone()) {
        co_await exchange.drained(1);
        if (exchange.gone()) break;
        auto newest = std::exchange(viewer->newest, nullptr);
        if (newest) {
            exchange.write(*newest);
            continue;
        }
        auto more = viewer->changed.wait(10 * LiveFeed::kEveryMs);
        co_await more;
    }
    exchange.tell_when_gone({});
    exchange.end();
}

}  // namespace jobq::api
