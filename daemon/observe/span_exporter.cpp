#include "daemon/observe/span_exporter.h"

#include <algorithm>

#include "core/base/id.h"
#include "daemon/observe/log.h"

namespace jobq {

SpanExporter::SpanExporter(Reactor& reactor, Tracer& tracer, SpanSender& sender,
                           TraceResource resource)
    : reactor_(reactor),
      tracer_(tracer),
      sender_(sender),
      resource_(std::move(resource)),
      rng_(random_u64()),
      stir_(reactor),
      gate_(reactor) {}

void SpanExporter::start() {
    // The first one starts the pause, the last of a batch ends it.
    tracer_.on_span([this] {
        if (tracer_.waiting() == 1 || tracer_.waiting() == kBatch) stir_.notify_all();
    });
    gate_.keep([this] { return run(); });
}

task<void> SpanExporter::stop() {
    tracer_.on_span({});
    stopping_ = true;
    stop_by_ms_ = reactor_.now_ms() + kStopMs;
    stir_.notify_all();
    const TimerId end = reactor_.after(kStopMs, [this] { sender_.give_up(); });
    co_await gate_.close();
    reactor_.cancel(end);
    tracer_.dropped(SpanDrop::stopped, tracer_.take(Tracer::kSpans).size());
}

int64_t SpanExporter::left_ms() const {
    return stopping_ ? std::max<int64_t>(0, stop_by_ms_ - reactor_.now_ms()) : kRequestMs;
}

task<void> SpanExporter::run() {
    while (true) {
        if (stopping_ && (tracer_.waiting() == 0 || left_ms() == 0)) break;
        if (tracer_.waiting() == 0) {
            auto wait = stir_.wait(-1);  // stop() notifies
            co_await wait;
            continue;
        }
        const int64_t until = reactor_.now_ms() + kPauseMs;
        while (!stopping_ && tracer_.waiting() < kBatch && reactor_.now_ms() < until) {
            auto wait = stir_.wait(until - reactor_.now_ms());
            co_await wait;
        }
        auto spans = tracer_.take(kBatch);
        co_await deliver(std::move(spans));
    }
}

task<void> SpanExporter::deliver(std::vector<Span> spans) {
    const size_t count = spans.size();
    std::string body = otlp_request(resource_, spans);
    spans = {};
    const int64_t began = reactor_.now_ms();
    int64_t backoff = kBackoffMinMs;
    while (true) {
        auto answer = co_await sender_.send(body, left_ms());
        auto verdict = judge_otlp(answer);
        if (verdict.what == OtlpVerdict::What::taken) {
            const size_t rejected = std::min(count, size_t(verdict.rejected));
            tracer_.sent(count - rejected);
            tracer_.dropped(SpanDrop::rejected, rejected);
            if (rejected > 0 || !verdict.why.empty()) complain(verdict.why, rejected);
            co_return;
        }
        tracer_.failed();
        if (verdict.what == OtlpVerdict::What::refused) {
            tracer_.dropped(SpanDrop::rejected, count);
            complain(verdict.why, count);
            co_return;
        }
        const int64_t spread = int64_t(rng_.below(uint64_t(backoff / 4)));
        const int64_t wait = std::max(verdict.after_ms.value_or(0), backoff + spread);
        backoff = std::min(2 * backoff, kBackoffMaxMs);
        complain(verdict.why, 0);
        if (co_await pause(began, wait)) continue;
        tracer_.dropped(stopping_ ? SpanDrop::stopped : SpanDrop::collector, count);
        complain(verdict.why, count);
        co_return;
    }
}

// A stop cuts it short and leaves one more try.
task<bool> SpanExporter::pause(int64_t began_ms, int64_t pause_ms) {
    const int64_t until = reactor_.now_ms() + pause_ms;
    const bool was_stopping = stopping_;
    if (until - began_ms > std::max(kGiveUpMs, pause_ms)) co_return false;
    while (!stopping_ && reactor_.now_ms() < until) {
        auto wait = stir_.wait(until - reactor_.now_ms());
        co_await wait;
    }
    co_return !was_stopping && left_ms() > 0;
}

void SpanExporter::complain(const std::string& why, size_t lost) {
    lost_ += lost;
    if (reactor_.now_ms() - complained_ms_ < kComplainMs) return;
    complained_ms_ = reactor_.now_ms();
    log(LogLevel::warn, "trace.not_sent",
        "the collector does not accept traces: " + why +
            "; jobs are not affected; jobq_trace_spans_dropped_total counts what is lost",
        {{"collector", where_}, {"spans_lost", int64_t(lost_)}});
    lost_ = 0;
}

}  // namespace jobq
