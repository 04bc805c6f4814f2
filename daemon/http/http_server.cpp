#include "daemon/http/http_server.h"

#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/async/contain.h"
#include "core/base/limits.h"
#include "core/net/host.h"
#include "core/tls/tls.h"
#include "daemon/http/impl.h"
#include "daemon/http/problem.h"
#include "daemon/loop/bind.h"

namespace jobq {
namespace {

constexpr size_t kHeadBytes = 16 << 10;
constexpr int64_t kStopMs = 2'000;
constexpr size_t kDescriptorsKept = 256;

constexpr char kTooSlow[] =
    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

size_t connection_limit(size_t wanted) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    size_t most = files.rlim_cur > 2 * kDescriptorsKept ? files.rlim_cur - kDescriptorsKept
                                                        : files.rlim_cur / 2;
    return std::min(most, wanted);
}

}  // namespace

const Microhttpd& mhd() {
    return **load_microhttpd();
}

HttpServer::HttpServer(UvReactor& reactor) : reactor_(reactor) {}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(UvReactor& reactor, Endpoint endpoint,
                                                       HttpApp& app, const HttpTls& tls,
                                                       HttpLimits limits) {
    auto loaded = load_microhttpd();
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    const bool is_unix = !endpoint.unix_path.empty();
    // The configuration is checked for this; a hole here would be wide.
    JOBQ_CHECK(is_unix || is_loopback(endpoint.host) || !tls.certificate.empty());
    auto fd = is_unix ? bind_unix(endpoint.unix_path) : bind_tcp(endpoint);
    if (!fd) return tl::unexpected<Error>(fd.error());
    std::unique_ptr<HttpServer> server(new HttpServer(reactor));
    server->endpoint_ = std::move(endpoint);
    server->impl_ = std::make_unique<Impl>(*server, app, limits);
    Impl* impl = server->impl_.get();
    impl->is_unix = is_unix;
    impl->is_tls = !is_unix && !tls.certificate.empty();
    impl->limits.connections = connection_limit(limits.connections);
    impl->hangup_epoll = epoll_create1(EPOLL_CLOEXEC);
    impl->start(*fd, tls);
    if (!impl->daemon) {
        ::close(*fd);
        return fail(ErrorCode::internal,
                    impl->is_tls ? "the HTTP server did not start; check that libmicrohttpd "
                                   "supports TLS and that tls_cert and tls_key belong together"
                                 : "the HTTP server did not start");
    }
    impl->listen_fd = *fd;
    const MHD_DaemonInfo* info = mhd().get_daemon_info(impl->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    impl->library_watch =
        std::make_unique<FdWatch>(reactor, info->epoll_fd, [impl] { impl->run(); });
    impl->hangup_watch =
        std::make_unique<FdWatch>(reactor, impl->hangup_epoll, [impl] { impl->hung_up(); });
    impl->sweep();
    return server;
}

void HttpServer::Impl::start(int fd, const HttpTls& tls) {
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    std::vector<MHD_OptionItem> secure;
    auto text = [](const char* chars) { return const_cast<char*>(chars); };
    if (is_tls) {
        flags |= MHD_USE_TLS;
        secure = {{MHD_OPTION_HTTPS_MEM_CERT, 0, text(tls.certificate.c_str())},
                  {MHD_OPTION_HTTPS_MEM_KEY, 0, text(tls.key.c_str())},
                  {MHD_OPTION_HTTPS_PRIORITIES, 0, text(kTlsPriority)}};
    }
    secure.push_back({MHD_OPTION_END, 0, nullptr});
    daemon = mhd().start_daemon(
        flags, 0, on_accept, this, on_request, this, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, 2 * kHeadBytes, MHD_OPTION_CONNECTION_TIMEOUT,
        limits.stall_s, MHD_OPTION_CONNECTION_LIMIT, unsigned(limits.connections),
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_uri, this,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, this, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, this, MHD_OPTION_ARRAY, secure.data(), MHD_OPTION_END);
}

// One turn of the library, then the handlers of what it brought.
void HttpServer::Impl::run() {
    mhd().run(daemon);
    auto work = std::move(pending);
    pending.clear();
    for (auto& exchange : work) {
        if (gate.closed()) {
            exchange->answer(problem({ErrorCode::unavailable, "jobqd is shutting down"}));
        } else {
            gate.spawn(serve(std::move(exchange)));
        }
    }
    // The library has more at hand, of which its descriptor says nothing.
    MHD_UNSIGNED_LONG_LONG pause_ms = 1;
    if (mhd().get_timeout(daemon, &pause_ms) == MHD_YES && pause_ms == 0) run_soon();
}

task<void> HttpServer::Impl::serve(std::shared_ptr<HttpExchange> exchange) {
    caught handler(app.serve(exchange));
    auto escaped = co_await handler;
    if (!escaped) co_return;
    tell_escape("http", shown(*exchange), escaped);
    exchange->fail_internally();
}

// At the end of this turn, once for all that asked for it: the library does not notice by itself
// that something was resumed.
void HttpServer::Impl::run_soon() {
    if (planned) return;
    planned = true;
    server.reactor_.defer([self = this, alive = alive] {
        if (!*alive) return;
        self->planned = false;
        self->run();
    });
}

// Ends what takes too long. Crowded, what idles makes room soon.
void HttpServer::Impl::sweep() {
    const int64_t now = server.reactor_.now_ms();
    const bool crowded = connections.size() > limits.connections - limits.connections / 4;
    const int64_t idle_ms = crowded ? limits.crowded_idle_ms : limits.idle_ms;
    for (HttpConnection* connection : connections) {
        if (connection->half) end_unfinished(*connection);
        const HttpExchange* exchange = connection->exchange;
        const int64_t age = now - connection->since_ms;
        if (!exchange || exchange->phase_ == HttpExchange::Phase::head) {
            if (age >= idle_ms) give_up(*connection, exchange ? kTooSlow : "");
        } else if (exchange->phase_ == HttpExchange::Phase::body && !exchange->streams_body) {
            if (age >= limits.body_ms) give_up(*connection, kTooSlow);
        }
    }
    run();
    timer = server.reactor_.after(limits.sweep_ms, [this] { sweep(); });
}

// The library can't answer within a request, so the answer goes straight to the socket.
void HttpServer::Impl::give_up(HttpConnection& connection, const char* answer) {
    if (*answer && !is_tls)
        (void)!::send(connection.fd, answer, std::strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::shutdown(connection.fd, SHUT_RDWR);
}

void HttpServer::Impl::watch(HttpConnection& connection, int operation) {
    epoll_event event{};
    event.events = EPOLLRDHUP | EPOLLET;
    event.data.ptr = &connection;
    epoll_ctl(hangup_epoll, operation, connection.fd, &event);
}

// Told anew, should it have hung up already.
void HttpServer::Impl::watch_for_end(HttpConnection& connection) {
    if (std::exchange(connection.tells, true)) return;
    watch(connection, EPOLL_CTL_MOD);
}

// The library does not notice an end that came with the last bytes, and would wait for more of a
// head or body. What it has not read yet, or not looked at, may be the rest: it has a sweep's time
// for that.
void HttpServer::Impl::end_unfinished(HttpConnection& connection) {
    const HttpExchange* exchange = connection.exchange;
    const bool unfinished = !exchange || exchange->phase_ == HttpExchange::Phase::head ||
                            exchange->phase_ == HttpExchange::Phase::body;
    char byte = 0;
    const bool stands = !is_tls && unfinished && !(exchange && exchange->suspended_) &&
                        ::recv(connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    connection.stood_still = stands ? connection.stood_still + 1 : 0;
    if (connection.stood_still > 1) give_up(connection, "");
}

void HttpServer::Impl::hung_up() {
    epoll_event events[64];
    int count = epoll_wait(hangup_epoll, events, 64, 0);
    for (int i = 0; i < count; ++i) {
        auto* connection = static_cast<HttpConnection*>(events[i].data.ptr);
        HttpExchange* exchange = connection->exchange;
        connection->half = true;
        if (!exchange || !connection->tells) continue;
        exchange->gone_ = true;
        exchange->tell_all();
        if (exchange->suspended_) server.resume(*exchange);
    }
}

size_t HttpServer::Impl::exchanges() const {
    return size_t(std::count_if(connections.begin(), connections.end(),
                                [](const HttpConnection* one) { return one->exchange; }));
}

void HttpServer::watch_for_end(HttpExchange& exchange) {
    impl_->watch_for_end(connection_of(exchange.connection_));
}

void HttpServer::resume(HttpExchange& exchange) {
    exchange.suspended_ = false;
    mhd().resume_connection(exchange.connection_);
    impl_->run_soon();
}

task<void> HttpServer::stop() {
    impl_->stopping = true;
    reactor_.cancel(impl_->timer);
    mhd().quiesce_daemon(impl_->daemon);
    ::close(impl_->listen_fd);
    if (impl_->is_unix) ::unlink(endpoint_.unix_path.c_str());
    // Streams end, and what waits long and is to be told; who else waits for an answer gets it.
    for (HttpConnection* connection : impl_->connections) {
        HttpExchange* exchange = connection->exchange;
        if (!exchange) continue;
        bool ends = exchange->streams_answer_ || exchange->streams_body || exchange->on_gone_;
        if (!ends) continue;
        exchange->gone_ = true;
        exchange->tell_all();
        if (exchange->suspended_) resume(*exchange);
    }
    co_await impl_->gate.close();
    const int64_t deadline = reactor_.now_ms() + kStopMs;
    while (impl_->exchanges() > 0 && reactor_.now_ms() < deadline) {
        auto less = impl_->idle.wait(deadline - reactor_.now_ms());
        co_await less;
    }
    for (HttpConnection* connection : impl_->connections)
        if (connection->exchange && connection->exchange->suspended_) resume(*connection->exchange);
}

HttpServer::~HttpServer() {
    reactor_.cancel(impl_->timer);
    *impl_->alive = false;
    impl_->library_watch.reset();
    impl_->hangup_watch.reset();
    if (impl_->daemon) mhd().stop_daemon(impl_->daemon);
    if (impl_->hangup_epoll >= 0) ::close(impl_->hangup_epoll);
}

}  // namespace jobq
