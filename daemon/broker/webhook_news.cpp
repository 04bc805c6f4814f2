#include "daemon/broker/webhook_news.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/document.h"
#include "core/json/fields.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

// Deeper by what the result stands in, and still JSON that a worker takes.
constexpr int kResultDepth = limits::kJsonDepth - 4;

void write_result(JsonWriter& json, const RunReport& report) {
    if (report.result.size() > limits::kWebhookResultBytes || report.result_cut) {
        json.field("result_omitted", true);
        return;
    }
    if (report.result.empty()) return;
    const bool is_json = report.result_is_json && check_json(report.result, kResultDepth);
    if (is_json)
        json.key("result").raw(trim(report.result));
    else
        json.field("result", report.result);
}

std::string body_of(std::string_view event, const std::string& id, const Job& job,
                    const RunReport& report, const Transition& next, int64_t now_ms) {
    const bool is_dead = next.move == Move::dead, is_good = next.move == Move::succeed;
    JsonWriter json;
    json.begin_object().field("event", event).field("delivery_id", id);
    json.field("jid", job.jid).field("type", job.type).field("queue", job.queue);
    json.field("attempts", next.record.attempts);
    if (report.ended_ms != 0) json.field("outcome", name(report.outcome));
    if (is_dead) json.field("reason", next.record.reason);
    json.field("created_at", format_rfc3339(job.created_ms));
    if (report.started_ms != 0) json.field("started_at", format_rfc3339(report.started_ms));
    json.field("finished_at", format_rfc3339(report.ended_ms != 0 ? report.ended_ms : now_ms));
    if (!is_good && !next.record.errors.empty()) {
        const Attempt& last = next.record.errors.back();
        json.key("error").begin_object().field("type", last.error_type);
        json.field("message", last.message).end_object();
    }
    if (!job.tags.empty()) json.key("tags").raw(job.tags);
    if (is_good) write_result(json, report);
    return json.end_object().take();
}

}  // namespace

std::shared_ptr<Job> WebhookNews::of(std::string_view event, const Job& job,
                                     const RunReport& report, const Transition& next) {
    if (job.type.starts_with(kReservedPrefix)) return nullptr;
    const std::string* url = &job.webhook;
    auto type = config_->types.find(job.type);
    if (url->empty() && type != config_->types.end()) url = &type->second.webhook;
    const auto& events = config_->webhook.events;
    if (url->empty() || std::find(events.begin(), events.end(), event) == events.end())
        return nullptr;
    auto news = std::make_shared<Job>();
    const int64_t now = reactor_.wall_ms();
    news->jid = ids_.next(now);
    news->type = kWebhookType;
    news->queue = kWebhookQueue;
    news->created_ms = now;
    news->traceparent = job.traceparent;
    JsonWriter args;
    args.begin_array().begin_object().field("url", *url);
    args.key("body").raw(body_of(event, news->jid, job, report, next, now));
    news->args = args.end_object().end_array().take();
    return news;
}

}  // namespace jobq
