#include "daemon/http/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/http/microhttpd.h"
#include "daemon/loop/fd_watch.h"

namespace jobq {

struct HttpServer::Impl {
    UvReactor* reactor = nullptr;
    MHD_Daemon* daemon = nullptr;
    std::unique_ptr<FdWatch> watch;
    TimerId timer = 0;
    Answer answer;
};

namespace {

constexpr size_t kHeaderMemory = 16 << 10;
constexpr unsigned kIdleSeconds = 30, kConnections = 500;

// Loaded: there is a server only then.
const Microhttpd& mhd() {
    return **load_microhttpd();
}

MHD_Result send(MHD_Connection* connection, const HttpReply& reply) {
    MHD_Response* response = mhd().create_response_from_buffer(
        reply.body.size(), const_cast<char*>(reply.body.data()), MHD_RESPMEM_MUST_COPY);
    mhd().add_response_header(response, "Content-Type", reply.type.c_str());
    mhd().add_response_header(response, "Cache-Control", "no-store");
    mhd().add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_Result done = mhd().queue_response(connection, unsigned(reply.status), response);
    mhd().destroy_response(response);
    return done;
}

HttpReply problem(int status, const char* title) {
    HttpReply reply;
    reply.status = status;
    reply.type = "application/problem+json";
    reply.body =
        "{\"title\":\"" + std::string(title) + "\",\"status\":" + std::to_string(status) + "}\n";
    return reply;
}

// Two lengths, or a length and chunks, are how requests are smuggled past a proxy.
bool is_smuggling(MHD_Connection* connection) {
    struct Seen {
        int lengths = 0, encodings = 0;
    } seen;

    auto count = [](void* cls, MHD_ValueKind, const char* key, const char*) -> MHD_Result {
        auto* s = static_cast<Seen*>(cls);
        if (strcasecmp(key, "Content-Length") == 0) ++s->lengths;
        if (strcasecmp(key, "Transfer-Encoding") == 0) ++s->encodings;
        return MHD_YES;
    };
    mhd().get_connection_values(connection, MHD_HEADER_KIND, count, &seen);
    return seen.lengths + seen.encodings > 1;
}

MHD_Result on_request(void* cls, MHD_Connection* connection, const char* url, const char* method,
                      const char*, const char*, size_t* upload_size, void** state) {
    static int begun;
    if (*state == nullptr) {
        *state = &begun;
        if (is_smuggling(connection)) return send(connection, problem(400, "bad request"));
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;  // nothing here takes a body
        return MHD_YES;
    }
    bool reads = std::strcmp(method, "GET") == 0 || std::strcmp(method, "HEAD") == 0;
    if (!reads) return send(connection, problem(405, "method not allowed"));
    const auto& answer = *static_cast<HttpServer::Answer*>(cls);
    return send(connection, answer(url));
}

// A bound, listening, CLOEXEC socket on a loopback address.
Result<int> bind_loopback(const Endpoint& endpoint, int* port) {
    sockaddr_storage address{};
    socklen_t length = 0;
    std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
        if ((ntohl(v4->sin_addr.s_addr) >> 24) != 127)
            length = 0;
        else
            length = sizeof *v4;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(uint16_t(endpoint.port));
    } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
        if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) length = sizeof *v6;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(uint16_t(endpoint.port));
    }
    if (length == 0)
        return fail(ErrorCode::invalid, "http address " + endpoint.text() +
                                            " is not a loopback address: beyond this host it needs "
                                            "TLS and a key, which this version does not have");
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd, 128) != 0) {
        std::string why = std::strerror(errno);
        ::close(fd);
        return fail(ErrorCode::conflict,
                    "can't listen on http " + endpoint.text() + ": " + why +
                        "; stop what has it, or give another port (0 finds a free one)");
    }
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    *port = ntohs(address.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return fd;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(UvReactor& reactor, Endpoint endpoint,
                                                       Answer answer) {
    auto loaded = load_microhttpd();
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    int port = 0;
    auto fd = bind_loopback(endpoint, &port);
    if (!fd) return tl::unexpected<Error>(fd.error());
    std::unique_ptr<HttpServer> server(new HttpServer);
    server->endpoint_ = std::move(endpoint);
    server->endpoint_.port = port;
    server->impl_ = std::make_unique<Impl>();
    server->impl_->reactor = &reactor;
    server->impl_->answer = std::move(answer);
    server->impl_->daemon = mhd().start_daemon(
        MHD_USE_EPOLL, 0, nullptr, nullptr, on_request, &server->impl_->answer,
        MHD_OPTION_LISTEN_SOCKET, *fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, 2 * kHeaderMemory,
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_CONNECTION_LIMIT, kConnections,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!server->impl_->daemon) {
        ::close(*fd);
        return fail(ErrorCode::internal, "the HTTP server did not start");
    }
    const MHD_DaemonInfo* info =
        mhd().get_daemon_info(server->impl_->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    HttpServer* self = server.get();
    server->impl_->watch =
        std::make_unique<FdWatch>(reactor, info->epoll_fd, [self] { self->run_once(); });
    return server;
}

void HttpServer::run_once() {
    mhd().run(impl_->daemon);
    arm_timer();
}

void HttpServer::arm_timer() {
    impl_->reactor->cancel(impl_->timer);
    impl_->timer = 0;
    MHD_UNSIGNED_LONG_LONG limit = 0;
    if (mhd().get_timeout(impl_->daemon, &limit) != MHD_YES) return;
    impl_->timer = impl_->reactor->after(int64_t(limit) + 1, [this] { run_once(); });
}

HttpServer::~HttpServer() {
    if (!impl_) return;
    impl_->reactor->cancel(impl_->timer);
    impl_->watch.reset();
    if (impl_->daemon) mhd().stop_daemon(impl_->daemon);
}

}  // namespace jobq
