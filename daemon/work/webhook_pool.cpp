#include "daemon/work/webhook_pool.h"

#include <algorithm>
#include <utility>

#include "core/async/contain.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/config/check.h"
#include "core/json/fields.h"
#include "core/net/public_address.h"
#include "daemon/observe/log.h"
#include "daemon/work/thread_pool.h"

namespace jobq {
namespace {

constexpr int64_t kDeliveryWaitMs = 30'000, kRefusedPauseMs = 200;
constexpr size_t kAnswerShown = 200;

RunReport failed(Outcome outcome, std::string error_type, std::string message) {
    RunReport report;
    report.outcome = outcome;
    report.error_type = std::move(error_type);
    report.message = std::move(message);
    return report;
}

struct Delivery {
    std::string url, body;
    WebhookAim aim;
};

// Of a job; or the end of an attempt that sends nothing.
tl::expected<Delivery, RunReport> read_delivery(const Job& job, const WebhookConfig& config) {
    auto ends = [](Outcome outcome, std::string type, std::string text) {
        return tl::unexpected(failed(outcome, std::move(type), std::move(text)));
    };
    if (job.type != kWebhookType)
        return ends(Outcome::dead, "UnknownType",
                    "the queue jobq.webhooks is reserved for jobs of type jobq.webhook");
    auto object = JsonFields::parse(handler_payload(job));
    if (!object) return ends(Outcome::dead, "BadData", object.error().text);
    auto url = object->string("url");
    const JsonField* body = object->find("body");
    if (!url || !*url || !body)
        return ends(Outcome::dead, "BadData", "a job of type jobq.webhook requires url and body");
    auto aim = check_webhook(config, **url);
    if (!aim) return ends(Outcome::failure, "NotAllowed", aim.error().text);
    return Delivery{**url, std::string(body->raw), std::move(*aim)};
}

RunReport report_of(const Result<HttpReply>& reply, const std::string& who) {
    if (!reply) {
        const Error& error = reply.error();
        const bool stopped = error.code == ErrorCode::cancelled;
        return failed(stopped ? Outcome::released : Outcome::failure,
                      error.code == ErrorCode::timeout     ? "Timeout"
                      : error.code == ErrorCode::forbidden ? "AddressRefused"
                                                           : "NoAnswer",
                      error.text);
    }
    RunReport report;
    const int status = reply->status;
    if (status >= 200 && status < 300) {
        report.result = "{\"status\":" + std::to_string(status) + "}";
        report.result_is_json = true;
        return report;
    }
    std::string text = who + " answered " + std::to_string(status);
    if (status >= 300 && status < 400) text += ", and redirects are not followed";
    if (status == 410) text += ", so it accepts no more deliveries of this webhook";
    if (!reply->body.empty())
        text += ": " + printable(utf8_prefix(to_utf8(reply->body), kAnswerShown));
    report = failed(status == 410 ? Outcome::dead : Outcome::failure,
                    "HTTP " + std::to_string(status), std::move(text));
    const bool may_say_when = status == 429 || status == 503;
    if (may_say_when && reply->retry_after_s)
        report.retry_after_ms =
            std::min(std::clamp<int64_t>(*reply->retry_after_s, 0, 1'000'000) * 1000,
                     limits::kWebhookRetryAfterMaxMs);
    return report;
}

const char* word_for(Outcome outcome) {
    switch (outcome) {
        case Outcome::success:
            return "delivered";
        case Outcome::dead:
            return "refused";
        case Outcome::snooze:
            return "put_off";
        case Outcome::released:
            return "cut";
        default:
            return "failed";
    }
}

}  // namespace

WebhookPool::WebhookPool(UvReactor& reactor, Broker& broker, WebhookKeys keys, Metrics& metrics)
    : reactor_(reactor),
      broker_(broker),
      keys_(std::move(keys)),
      metrics_(metrics),
      sender_(reactor, limits::kWebhooksAtOnce),
      owner_("pool:" + std::string(kWebhookQueue) + ":" + broker.names().epoch()),
      ticket_(std::make_shared<Waiters::Ticket>(reactor)),
      room_(reactor),
      over_(reactor),
      gate_(reactor) {
    for (const char* word : {"delivered", "failed", "refused"})
        metrics_.counter(Metric::webhooks, {{"outcome", word}});
}

void WebhookPool::start() {
    worker_ = broker_.workers().meet("pool:" + std::string(kWebhookQueue));
    worker_->owner = owner_;
    worker_->kind = WorkerKind::pool;
    worker_->slots = limits::kWebhooksAtOnce;
    gate_.keep([this] { return fetcher(); });
}

task<void> WebhookPool::fetcher() {
    constexpr int kHeldMax = 4 * limits::kWebhooksAtOnce;
    while (!stopping_) {
        if (ticket_->interrupted) ticket_ = std::make_shared<Waiters::Ticket>(reactor_);
        if (held_ >= kHeldMax) {
            auto wait = room_.wait(kDeliveryWaitMs);
            co_await wait;
            continue;
        }
        FetchOrder order;
        order.owner = owner_;
        order.worker = kWebhookQueue;
        order.queues = std::vector<std::string>(1, kWebhookQueue);
        order.count = std::min(kHeldMax - held_, limits::kWebhooksAtOnce);
        order.wait_ms = kDeliveryWaitMs;
        order.tells_starts = true;
        auto leases = co_await broker_.dispatch().fetch(std::move(order), ticket_);
        if (!leases) {
            auto pause = room_.wait(kRefusedPauseMs);
            co_await pause;
            continue;
        }
        for (auto& lease : *leases) {
            ++held_;
            gate_.spawn(deliver(std::move(lease)));
        }
    }
}

std::shared_ptr<WebhookPool::Host> WebhookPool::host_of(const std::string& origin) {
    auto& host = hosts_[origin];
    if (!host) host = std::make_shared<Host>(reactor_);
    return host;
}

void WebhookPool::count(const char* outcome) {
    add(metrics_.counter(Metric::webhooks, {{"outcome", outcome}}));
}

void WebhookPool::begin(const std::string& jid) {
    const Running* known = broker_.running().find(jid);
    if (known) broker_.dispatch().started(jid, known->token(), reactor_.wall_ms());
}

task<void> WebhookPool::deliver(Leased lease) {
    const int64_t started = reactor_.wall_ms();
    Ended ended;
    ended.jid = lease.job.jid;
    ended.owner = owner_;
    ended.token = lease.token;
    const int64_t limit_ms = broker_.config().webhook.policy.timeout_ms;
    auto job = std::make_shared<const Job>(std::move(lease.job));
    caught sending(send_into(job, limit_ms, &ended.report));
    auto escaped = co_await sending;
    if (escaped) {
        tell_escape("sender", "webhook " + job->jid, escaped);
        ended.report = failed(Outcome::failure, "Internal", words_of(escaped));
    }
    ended.report.started_ms = started;
    ended.report.ended_ms = reactor_.wall_ms();
    ended.report.worker = kWebhookQueue;
    count(word_for(ended.report.outcome));
    std::vector<Ended> batch;
    batch.push_back(std::move(ended));
    std::function<bool()> give_up = [this] {
        return stopping_ && reactor_.now_ms() >= stop_deadline_ms_;
    };
    auto results = co_await broker_.attempts().finish_surely(std::move(batch), std::move(give_up));
    if (!results[0])
        log(LogLevel::warn, "job.finish_failed", results[0].error().text,
            {{"jid", job->jid}, {"worker", std::string(kWebhookQueue)}});
    --held_;
    room_.notify_all();
}

task<void> WebhookPool::send_into(std::shared_ptr<const Job> job, int64_t limit_ms,
                                  RunReport* report) {
    *report = co_await send(std::move(job), limit_ms);
}

task<RunReport> WebhookPool::send(std::shared_ptr<const Job> job, int64_t limit_ms) {
    auto delivery = read_delivery(*job, broker_.config().webhook);
    if (!delivery) {
        begin(job->jid);
        co_return std::move(delivery.error());
    }
    co_return co_await send_in_turn(std::move(delivery->url), std::move(delivery->body), job->jid,
                                    std::move(delivery->aim), limit_ms);
}

task<RunReport> WebhookPool::send_in_turn(std::string url, std::string body, std::string id,
                                          WebhookAim aim, int64_t limit_ms) {
    const std::string who = aim.origin.text();
    auto host = host_of(who);
    if (host->held >= limits::kWebhooksHeldPerHost) {
        // Each that is put off gets a turn of its own, so that the backlog is not fetched again
        // and again meanwhile.
        const int64_t now = reactor_.now_ms();
        const int64_t step = std::max<int64_t>(host->took_ms / limits::kWebhooksPerHost, 1);
        host->next_at_ms = std::max(host->next_at_ms, now) + step;
        RunReport later = failed(Outcome::snooze, "", "");
        later.snooze_ms = std::min(host->next_at_ms - now, limits::kWebhookPutOffMaxMs);
        co_return later;
    }
    ++host->held;
    while (host->in_flight >= limits::kWebhooksPerHost && !stopping_) {
        auto turn = host->turn.wait(limit_ms);
        co_await turn;
    }
    ++host->in_flight;
    if (!stopping_) begin(id);
    HttpPost post;
    post.url = std::move(url);
    post.total_ms = limit_ms;
    post.connect_ms = std::min(limit_ms, limits::kHttpSendConnectMs);
    post.ca_file = broker_.config().webhook.ca_file;
    const int64_t stamp_s = reactor_.wall_ms() / 1000;
    post.headers.emplace_back("Content-Type: application/json");
    post.headers.emplace_back("User-Agent: jobq/" + std::string(version()));
    post.headers.push_back("Webhook-Id: " + id);
    post.headers.push_back("Webhook-Timestamp: " + std::to_string(stamp_s));
    post.headers.push_back("Webhook-Signature: " + keys_.sign(id, stamp_s, body));
    post.body = std::move(body);
    post.address_check = [may_be_private = aim.may_be_private,
                          who](const sockaddr& address) -> Result<> {
        auto checked = check_public(address);
        if (checked || may_be_private) return {};
        return fail(ErrorCode::forbidden,
                    "nothing was sent to " + who + ": " + checked.error().text +
                        "; to allow this, move the host to allow_private in [webhook]");
    };
    const int64_t began = reactor_.now_ms();
    auto reply = co_await sender_.post(std::move(post));
    host->took_ms = (host->took_ms * 3 + reactor_.now_ms() - began) / 4;
    --host->in_flight;
    if (--host->held == 0) hosts_.erase(who);
    host->turn.notify_one();
    co_return report_of(reply, who);
}

task<void> WebhookPool::stop(int64_t limit_ms) {
    const int64_t deadline = reactor_.now_ms() + limit_ms;
    stop_deadline_ms_ = stopping_ ? std::min(stop_deadline_ms_, deadline) : deadline;
    room_.notify_all();
    if (std::exchange(stopping_, true)) {
        while (!stopped_) {
            auto wait = over_.wait(-1);
            co_await wait;
        }
        co_return;
    }
    ticket_->interrupt();
    while (held_ > 0 && reactor_.now_ms() < stop_deadline_ms_) {
        auto wait = room_.wait(std::min<int64_t>(stop_deadline_ms_ - reactor_.now_ms(), 1'000));
        co_await wait;
    }
    co_await sender_.stop();
    for (auto& [name, host] : hosts_)
        host->turn.notify_all();
    co_await gate_.close();
    broker_.workers().forget(worker_);
    stopped_ = true;
    over_.notify_all();
}

}  // namespace jobq
