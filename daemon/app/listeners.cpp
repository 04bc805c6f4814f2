#include "daemon/app/listeners.h"

#include <string>
#include <utility>

#include "core/base/file.h"
#include "core/net/endpoint.h"

namespace jobq {
namespace {

// What TlsContext has read and found good before.
Result<HttpTls> read_http_tls(const ListenConfig& listen) {
    HttpTls tls;
    if (listen.tls_cert.empty()) return tls;
    constexpr size_t kPemBytes = 1 << 20;
    auto certificate = read_small_file(listen.tls_cert, kPemBytes);
    if (!certificate) return tl::unexpected<Error>(certificate.error());
    auto key = read_small_file(listen.tls_key, kPemBytes);
    if (!key) return tl::unexpected<Error>(key.error());
    tls.certificate = std::move(certificate->text);
    tls.key = std::move(key->text);
    return tls;
}

std::string without_scheme(const Endpoint& endpoint) {
    return endpoint.text().substr(sizeof "tcp://" - 1);
}

}  // namespace

task<Result<>> Listeners::start() {
    co_return listen();
}

Result<> Listeners::listen() {
    open_ = true;
    Endpoint unix_end;
    unix_end.unix_path = places_.unix_path;
    auto taken = sessions_.server().listen(unix_end);
    if (!taken) return tl::unexpected<Error>(taken.error());
    sessions_.context().status.unix_path = places_.unix_path;
    if (!config_->listen.tcp.empty()) {
        auto tcp = listen_tcp();
        if (!tcp) return tcp;
    }
    return config_->listen.http.empty() ? Result<>{} : listen_http();
}

Result<> Listeners::listen_tcp() {
    ServerContext& context = sessions_.context();
    auto wanted = parse_tcp_listen(config_->listen.tcp);
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    // The configuration is checked for this; a hole here would be wide.
    JOBQ_CHECK(is_loopback(wanted->host) || context.access.door->is_locked());
    auto taken = sessions_.server().listen(*wanted);
    if (!taken) return tl::unexpected<Error>(taken.error());
    context.status.tcp = without_scheme(*taken);
    return {};
}

Result<> Listeners::listen_http() {
    ServerContext& context = sessions_.context();
    auto wanted = parse_listen(config_->listen.http);
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    auto tls = read_http_tls(config_->listen);
    if (!tls) return tl::unexpected<Error>(tls.error());
    JOBQ_CHECK(!wanted->unix_path.empty() || is_loopback(wanted->host) ||
               context.access.door->is_locked());
    api_ = std::make_unique<Api>(context);
    auto server = HttpServer::listen(reactor_, *wanted, *api_, *tls);
    // Somebody has the usual port, perhaps another --dev: any other will do.
    if (!server && config_->dev && config_->listen.http == kDevHttp) {
        wanted->port = 0;
        server = HttpServer::listen(reactor_, *wanted, *api_, *tls);
    }
    if (!server) return tl::unexpected<Error>(server.error());
    http_ = std::move(*server);
    const Endpoint& taken = http_->endpoint();
    context.status.http = taken.unix_path.empty() ? without_scheme(taken) : taken.text();
    return {};
}

task<void> Listeners::drain(Ending) {
    if (http_ && !std::exchange(draining_, true)) co_await http_->stop();
}

task<void> Listeners::stop(Ending) {
    http_.reset();
    if (std::exchange(open_, false)) sessions_.server().stop_listening();
    co_return;
}

}  // namespace jobq
