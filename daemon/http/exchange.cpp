#include "daemon/http/exchange.h"

#include "daemon/http/http_server.h"

namespace jobq {

HttpExchange::HttpExchange(HttpServer& server)
    : server_(server), readable_(server.reactor()), writable_(server.reactor()) {}

task<bool> HttpExchange::read_more() {
    while (seen_ == received_ && !body_complete_ && !gone_) {
        if (suspended_) server_.resume(*this);
        auto more = readable_.wait(-1);
        co_await more;
    }
    bool came = seen_ != received_;
    seen_ = received_;
    co_return came;
}

void HttpExchange::answer(HttpResponse response) {
    if (response_ || !connection_) return;
    response_ = std::move(response);
    // Of a body that is still coming nothing more is wanted.
    discards_ = true;
    if (suspended_) server_.resume(*this);
}

void HttpExchange::begin(HttpResponse head) {
    streams_answer_ = true;
    answer(std::move(head));
}

void HttpExchange::write(std::string_view bytes) {
    if (gone_ || ended_) return;
    out_ += bytes;
    if (suspended_ && phase_ == Phase::sending) server_.resume(*this);
}

task<void> HttpExchange::drained(size_t bytes) {
    while (out_.size() >= bytes && !gone_) {
        auto some = writable_.wait(-1);
        co_await some;
    }
}

void HttpExchange::tell_all() {
    readable_.notify_all();
    writable_.notify_all();
    if (gone_ && on_gone_) on_gone_();
}

void HttpExchange::tell_when_gone(std::function<void()> tell) {
    on_gone_ = std::move(tell);
    if (on_gone_ && connection_) server_.watch_for_end(*this);
}

void HttpExchange::end() {
    ended_ = true;
    if (suspended_ && phase_ == Phase::sending) server_.resume(*this);
}

}  // namespace jobq
