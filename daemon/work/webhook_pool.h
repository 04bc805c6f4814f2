// WebhookPool: delivers the jobs of the queue jobq.webhooks on the loop, without a thread. Made by
// App when [webhook] allows a host.
//
// What an answer means: 2xx delivered; 410 dead at once; all else, and no answer, a failed attempt
// that runs again by [webhook] backoff, not sooner than a Retry-After says. Must stay true: nothing
// is sent to a host or an address that the configuration of now does not allow; one host has at
// most kWebhooksPerHost requests, and a slow one keeps only kWebhooksHeldPerHost jobs here: what is
// more is put off, so that others are not kept waiting.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/async/gate.h"
#include "core/config/check.h"
#include "core/protocol/webhook_signature.h"
#include "daemon/broker/broker.h"
#include "daemon/loop/http_sender.h"
#include "daemon/observe/metrics.h"

namespace jobq {

class WebhookPool {
  public:
    WebhookPool(UvReactor& reactor, Broker& broker, WebhookKeys keys, Metrics& metrics);

    void start();
    // Takes nothing more. Requests in flight may end within limit_ms, then they are cut and their
    // jobs handed back. May be called again meanwhile, as ThreadPool's.
    task<void> stop(int64_t limit_ms);

    void hurry() {
        stop_deadline_ms_ = 0;
        room_.notify_all();
    }

    void set_keys(WebhookKeys keys) { keys_ = std::move(keys); }

    int in_flight() const { return sender_.in_flight(); }

  private:
    struct Host {
        explicit Host(Reactor& reactor) : turn(reactor) {}

        Signal turn;
        int held = 0, in_flight = 0;
        int64_t took_ms = 100;   // moving average of a request
        int64_t next_at_ms = 0;  // when the next that is put off may have a turn
    };

    task<void> fetcher();
    task<void> deliver(Leased lease);
    task<void> send_into(std::shared_ptr<const Job> job, int64_t limit_ms, RunReport* report);
    task<RunReport> send(std::shared_ptr<const Job> job, int64_t limit_ms);
    task<RunReport> send_in_turn(std::string url, std::string body, std::string id, WebhookAim aim,
                                 int64_t limit_ms);
    std::shared_ptr<Host> host_of(const std::string& origin);
    void count(const char* outcome);
    // It is sent, or found not to be sent, and not put off.
    void begin(const std::string& jid);

    UvReactor& reactor_;
    Broker& broker_;
    WebhookKeys keys_;
    Metrics& metrics_;
    HttpSender sender_;
    std::string owner_;
    std::shared_ptr<Worker> worker_;
    std::shared_ptr<Waiters::Ticket> ticket_;
    std::map<std::string, std::shared_ptr<Host>> hosts_;
    Signal room_, over_;
    Gate gate_;
    int held_ = 0;
    bool stopping_ = false, stopped_ = false;
    int64_t stop_deadline_ms_ = 0;
};

}  // namespace jobq
