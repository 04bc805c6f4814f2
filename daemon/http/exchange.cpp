#include "daemon/http/exchange.h"

#include "daemon/http/http_server.h"
#include "daemon/http/problem.h"

namespace jobq {

HttpExchange::HttpExchange(HttpServer& server)
    : server_(server), readable_(server.reactor()), writable_(server.reactor()) {}

task<std::string> HttpExchange::read_some() {
    while (request_.body.empty() && !body_complete_ && !gone_ && !too_long()) {
        if (suspended_) server_.resume(*this);
        auto more = readable_.wait(-1);
        co_await more;
    }
    std::string bytes;
    bytes.swap(request_.body);
    co_return bytes;
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

void HttpExchange::fail_internally() {
    on_gone_ = {};  // it spoke of the handler
    if (!streams_answer_) {
        HttpResponse response = problem({ErrorCode::internal,
                                         "the request failed inside jobqd and may or may not have "
                                         "been carried out; the log of jobqd has the reason"});
        response.close = true;
        answer(std::move(response));
        return;
    }
    failed_ = true;
    end();
}

void HttpExchange::end() {
    ended_ = true;
    if (suspended_ && phase_ == Phase::sending) server_.resume(*this);
}

}  // namespace jobq
