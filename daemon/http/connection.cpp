// HttpServer::Impl: the callbacks of libmicrohttpd. The library calls them in this order: on_uri
// with the request line, on_request with the head, with each piece of the body, and at its end
// again and again until there is an answer; on_read for a streamed answer; on_completed.
//
// Must stay true: nothing here resumes a coroutine. What waits for a handler is suspended, and the
// library asks again when it is resumed.
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>

#include "core/async/contain.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "daemon/http/impl.h"
#include "daemon/http/problem.h"
#include "daemon/loop/bind.h"

namespace jobq {
namespace {

constexpr size_t kDiscardBytes = 8 << 20;   // of a refused body, for its sender to hear why
constexpr size_t kWindowBytes = 256 << 10;  // of a streamed body, waiting for its handler
constexpr size_t kLineEndBytes = 2;
constexpr size_t kStreamBlock = 32 << 10;

// How much body the head promises; -1: it does not say.
int64_t promised(const HttpRequest& request) {
    const std::string* length = request.header("Content-Length");
    if (!length) return request.header("Transfer-Encoding") ? -1 : 0;
    return parse_int(*length).value_or(-1);
}

MHD_Result add_header(void* cls, MHD_ValueKind, const char* key, const char* value) {
    auto* fields = static_cast<HttpFields*>(cls);
    fields->emplace_back(key, value ? value : "");
    return MHD_YES;
}

}  // namespace

HttpConnection& connection_of(MHD_Connection* connection) {
    const MHD_ConnectionInfo* info =
        mhd().get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return *static_cast<HttpConnection*>(info->socket_context);
}

MHD_Result HttpServer::Impl::on_accept(void* cls, const sockaddr* address, socklen_t size) {
    auto* self = static_cast<Impl*>(cls);
    if (self->is_unix) return MHD_YES;
    try {
        return self->app.takes(address_text(address, size)) ? MHD_YES : MHD_NO;
    } catch (...) {
        tell_escape("http", "a connection", std::current_exception());
        return MHD_NO;
    }
}

void HttpServer::Impl::on_connection(void* cls, MHD_Connection* connection, void** context,
                                     MHD_ConnectionNotificationCode code) {
    auto* self = static_cast<Impl*>(cls);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        auto* made = new HttpConnection;
        made->fd =
            mhd().get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        made->since_ms = self->server.reactor_.now_ms();
        if (!self->is_unix) made->peer = peer_address_of(made->fd);
        self->connections.insert(made);
        self->watch(*made, EPOLL_CTL_ADD);
        *context = made;
        return;
    }
    auto* ended = static_cast<HttpConnection*>(*context);
    self->connections.erase(ended);
    self->watch(*ended, EPOLL_CTL_DEL);
    delete ended;
    self->idle.notify_all();
}

void* HttpServer::Impl::on_uri(void* cls, const char* uri, MHD_Connection* connection) {
    auto* self = static_cast<Impl*>(cls);
    auto exchange = std::make_shared<HttpExchange>(self->server);
    const std::string_view target = uri;
    set_target(exchange->request_, target);
    exchange->request_.first_line_bytes = target.size();  // the rest is added when it is known
    exchange->request_.is_unix = self->is_unix;
    exchange->connection_ = connection;
    exchange->request_.known = connection_of(connection).known;
    exchange->request_.peer = connection_of(connection).peer;
    connection_of(connection).exchange = exchange.get();
    return new std::shared_ptr<HttpExchange>(std::move(exchange));
}

void HttpServer::Impl::on_completed(void* cls, MHD_Connection* connection, void** state,
                                    MHD_RequestTerminationCode) {
    auto* self = static_cast<Impl*>(cls);
    auto* holder = static_cast<std::shared_ptr<HttpExchange>*>(*state);
    if (!holder) return;
    *state = nullptr;
    HttpExchange& exchange = **holder;
    HttpConnection& its = connection_of(connection);
    its.exchange = nullptr;
    its.since_ms = self->server.reactor_.now_ms();
    its.tells = false;
    exchange.connection_ = nullptr;
    exchange.phase_ = HttpExchange::Phase::over;
    exchange.gone_ = true;
    exchange.tell_all();
    self->idle.notify_all();
    delete holder;
}

MHD_Result HttpServer::Impl::on_request(void* cls, MHD_Connection* connection, const char*,
                                        const char* method, const char* version, const char* upload,
                                        size_t* upload_size, void** state) {
    auto* self = static_cast<Impl*>(cls);
    HttpExchange& exchange = **static_cast<std::shared_ptr<HttpExchange>*>(*state);
    exchange.suspended_ = false;
    // Nothing may be thrown through the library.
    try {
        if (exchange.phase_ == HttpExchange::Phase::head)
            return self->take_head(exchange, connection, method, version);
        if (*upload_size > 0) return self->take_body(exchange, upload, upload_size);
        return self->end_of_body(exchange);
    } catch (...) {
        tell_escape("http", self->shown(exchange), std::current_exception());
        return MHD_NO;
    }
}

// For the log: which request, and whose.
std::string HttpServer::Impl::shown(const HttpExchange& exchange) const {
    const HttpRequest& request = exchange.request();
    std::string text = request.method + " " + printable(utf8_prefix(to_utf8(request.path), 200));
    if (is_unix || !exchange.connection_) return text;
    return text + " from " + peer_address_of(connection_of(exchange.connection_).fd);
}

MHD_Result HttpServer::Impl::take_head(HttpExchange& exchange, MHD_Connection* connection,
                                       const char* method, const char* version) {
    HttpRequest& request = exchange.request_;
    request.method = method;
    request.is_http_1_0 = std::string_view(version) == "HTTP/1.0";
    request.first_line_bytes += request.method.size() + std::strlen(version) + 2 + kLineEndBytes;
    const MHD_ConnectionInfo* head =
        mhd().get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (head) request.head_bytes = head->header_size;
    mhd().get_connection_values(connection, MHD_HEADER_KIND, add_header, &request.headers);
    exchange.phase_ = HttpExchange::Phase::body;
    connection_of(connection).since_ms = server.reactor_.now_ms();
    if (stopping) {
        exchange.response_ = problem({ErrorCode::unavailable, "jobqd is shutting down"});
    } else {
        exchange.response_ = app.look(exchange);
    }
    connection_of(connection).known = exchange.let_in;
    const int64_t length = promised(request);
    if (!exchange.response_ && length > int64_t(exchange.body_limit))
        exchange.response_ = too_large(exchange.body_limit);
    exchange.discards_ = exchange.response_.has_value();
    if (exchange.response_ && exchange.response_->wait_ms > 0) return send_later(exchange);
    bool at_once = exchange.response_ && (exchange.response_->close || request.header("Expect") ||
                                          length > int64_t(kDiscardBytes));
    if (at_once) return send(exchange);
    if (!exchange.discards_ && exchange.streams_body) {
        pending.push_back(exchange.shared_from_this());
        return MHD_YES;
    }
    if (length > 0 && !exchange.discards_) request.body.reserve(size_t(length));
    return MHD_YES;
}

MHD_Result HttpServer::Impl::take_body(HttpExchange& exchange, const char* bytes, size_t* size) {
    std::string& body = exchange.request_.body;
    size_t taken = *size;
    if (exchange.streams_body && !exchange.discards_)
        taken = std::min(taken, kWindowBytes - std::min(kWindowBytes, body.size()));
    exchange.received_ += taken;
    if (exchange.received_ > exchange.body_limit && !exchange.discards_) {
        exchange.discards_ = true;
        body = std::string();
        if (!exchange.streams_body) exchange.response_ = too_large(exchange.body_limit);
    }
    // Nobody is read from for ever: the answer goes unheard then.
    if (exchange.discards_ && exchange.received_ > exchange.body_limit + kDiscardBytes)
        return MHD_NO;
    if (!exchange.discards_) body.append(bytes, taken);
    *size -= taken;
    if (exchange.streams_body) exchange.readable_.notify_all();
    if (*size > 0) suspend(exchange);
    return MHD_YES;
}

MHD_Result HttpServer::Impl::end_of_body(HttpExchange& exchange) {
    if (!exchange.body_complete_) {
        exchange.body_complete_ = true;
        exchange.readable_.notify_all();
        if (!exchange.response_) exchange.phase_ = HttpExchange::Phase::handled;
        if (!exchange.response_ && !exchange.streams_body)
            pending.push_back(exchange.shared_from_this());
    }
    if (exchange.response_) return send(exchange);
    suspend(exchange);
    return MHD_YES;
}

MHD_Result HttpServer::Impl::send_later(HttpExchange& exchange) {
    suspend(exchange);
    std::weak_ptr<HttpExchange> later = exchange.weak_from_this();
    server.reactor_.after(exchange.response_->wait_ms, [later] {
        auto its = later.lock();
        if (its && its->connection_ && its->suspended_) its->server_.resume(*its);
    });
    return MHD_YES;
}

MHD_Result HttpServer::Impl::send(HttpExchange& exchange) {
    const HttpResponse& answer = *exchange.response_;
    exchange.phase_ = HttpExchange::Phase::sending;
    MHD_Response* response = nullptr;
    if (exchange.streams_answer_) {
        auto* holder = new std::shared_ptr<HttpExchange>(exchange.shared_from_this());
        response = mhd().create_response_from_callback(
            MHD_SIZE_UNKNOWN, kStreamBlock, on_read, holder,
            [](void* cls) { delete static_cast<std::shared_ptr<HttpExchange>*>(cls); });
        // A proxy that would collect it for a while passes it on.
        mhd().add_response_header(response, "X-Accel-Buffering", "no");
        watch_for_end(connection_of(exchange.connection_));
    } else {
        response = mhd().create_response_from_buffer(
            answer.body.size(), const_cast<char*>(answer.body.data()), MHD_RESPMEM_MUST_COPY);
    }
    if (!answer.type.empty())
        mhd().add_response_header(response, "Content-Type", answer.type.c_str());
    for (const auto& [name, value] : kAlways)
        if (!has_header(answer, name)) mhd().add_response_header(response, name, value);
    for (const auto& [name, value] : answer.headers)
        mhd().add_response_header(response, name.c_str(), value.c_str());
    // How a body in chunks was cut up can be read in two ways; what comes behind is not read.
    const bool chunked = exchange.request_.header("Transfer-Encoding") != nullptr;
    if (stopping || answer.close || chunked)
        mhd().add_response_header(response, "Connection", "close");
    MHD_Result done = mhd().queue_response(exchange.connection_, unsigned(answer.status), response);
    mhd().destroy_response(response);
    return done;
}

ssize_t HttpServer::Impl::on_read(void* cls, uint64_t, char* buffer, size_t room) {
    HttpExchange& exchange = **static_cast<std::shared_ptr<HttpExchange>*>(cls);
    exchange.suspended_ = false;
    std::string& out = exchange.out_;
    if (exchange.failed_ || (exchange.gone_ && !exchange.server_.impl_->stopping))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (out.empty() && (exchange.ended_ || exchange.gone_)) return MHD_CONTENT_READER_END_OF_STREAM;
    if (out.empty()) {
        exchange.server_.impl_->suspend(exchange);
        return 0;
    }
    size_t taken = std::min(room, out.size());
    std::copy_n(out.data(), taken, buffer);
    out.erase(0, taken);
    exchange.writable_.notify_all();
    return ssize_t(taken);
}

void HttpServer::Impl::suspend(HttpExchange& exchange) {
    exchange.suspended_ = true;
    mhd().suspend_connection(exchange.connection_);
}

}  // namespace jobq
