#include "daemon/app/parts.h"

#include <utility>

namespace jobq {

Parts::Parts(UvReactor& reactor, const Places& places, ConfigPtr first, SignalCalls calls)
    : config(std::move(first)),
      job_metrics(metrics),
      events(reactor),
      workers(reactor),
      signals(reactor, std::move(calls)),
      files(places),
      redis(reactor, config, places.state_dir, metrics, events),
      status(redis, places.state_dir),
      access(reactor, config, status),
      store(reactor, config, redis, status, metrics),
      traces(reactor, config, metrics, files),
      broker(reactor, places, config, redis, store, status, events, workers, job_metrics,
             traces.tracer(),
             [this](const std::string& type, const std::string& queue) {
                 return type == kWebhookType ? webhooks.is_on() : table.runs(type, queue);
             }),
      hints(reactor, config, redis, store, broker),
      upkeep(reactor, config, redis, store, broker, counters),
      processes(reactor, workers, upkeep),
      runner(reactor, config, files, workers, upkeep),
      webhooks(reactor, config, broker, metrics),
      table(config),
      pools(reactor, config, broker),
      shown{workers, counters, status, redis, broker, upkeep, table},
      metrics_page(reactor, shown, metrics, webhooks),
      live(reactor, *config, shown, job_metrics),
      sessions(
          reactor, broker,
          {status, access.access(), counters, table, runner, processes, live.feed(), metrics_page}),
      listeners(reactor, config, places, sessions),
      ready(redis, status, files) {}

// What serves clients comes after all that they may ask of, and goes before it. Sessions end after
// what may still have an answer for them, and before the traces of it are sent.
std::vector<Part*> Parts::in_order() {
    return {&signals,   &access,   &files,    &redis,  &store,     &broker,
            &hints,     &traces,   &sessions, &upkeep, &processes, &live,
            &listeners, &webhooks, &pools,    &runner, &ready};
}

}  // namespace jobq
