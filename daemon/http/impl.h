// HttpServer::Impl: libmicrohttpd's side of the HTTP server. For http_server.cpp, which makes and
// drives it, connection.cpp, which has the library's callbacks, and exchange.cpp.
#pragma once

#include <unordered_set>
#include <vector>

#include "daemon/http/http_server.h"
#include "daemon/http/microhttpd.h"
#include "daemon/loop/fd_watch.h"

namespace jobq {

// One connection: it has at most one request at a time.
struct HttpConnection {
    int fd = -1;
    int64_t since_ms = 0;              // connected, the last answer sent, or this head complete
    HttpExchange* exchange = nullptr;  // from the request line to the end of the answer
    bool tells = false;                // its exchange is told when the client goes
    bool half = false;                 // the client sends no more
    int stood_still = 0;               // sweeps that found it so, with its request unfinished
    bool known = false;                // a password was right
    std::string peer;                  // "HOST:PORT"
};

struct HttpServer::Impl {
    Impl(HttpServer& server_in, HttpApp& app_in, HttpLimits limits_in)
        : server(server_in),
          app(app_in),
          limits(limits_in),
          gate(server_in.reactor_),
          idle(server_in.reactor_) {}

    HttpServer& server;
    HttpApp& app;
    HttpLimits limits;
    MHD_Daemon* daemon = nullptr;
    std::unique_ptr<FdWatch> library_watch, hangup_watch;
    int listen_fd = -1, hangup_epoll = -1;
    std::unordered_set<HttpConnection*> connections;
    std::vector<std::shared_ptr<HttpExchange>> pending;  // to be served after the library's turn
    TimerId timer = 0;
    bool is_unix = false, is_tls = false, stopping = false, planned = false;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    Gate gate;
    Signal idle;  // a connection was closed, or an answer sent

    void start(int fd, const HttpTls& tls);
    void run();
    void run_soon();
    void sweep();
    void hung_up();
    size_t exchanges() const;
    // For hang-ups: of all, and told to the exchange while a streamed answer has nothing to send.
    void watch(HttpConnection& connection, int operation);
    void watch_for_end(HttpConnection& connection);
    // One whose client ended before its request did.
    void end_unfinished(HttpConnection& connection);

    // connection.cpp: the library's callbacks
    static MHD_Result on_accept(void* cls, const sockaddr* address, socklen_t size);
    static void* on_uri(void* cls, const char* uri, MHD_Connection* connection);
    static MHD_Result on_request(void* cls, MHD_Connection* connection, const char* url,
                                 const char* method, const char* version, const char* upload,
                                 size_t* upload_size, void** state);
    static void on_completed(void* cls, MHD_Connection* connection, void** state,
                             MHD_RequestTerminationCode why);
    static void on_connection(void* cls, MHD_Connection* connection, void** context,
                              MHD_ConnectionNotificationCode code);
    static ssize_t on_read(void* cls, uint64_t position, char* buffer, size_t room);

    MHD_Result take_head(HttpExchange& exchange, MHD_Connection* connection, const char* method,
                         const char* version);
    MHD_Result take_body(HttpExchange& exchange, const char* bytes, size_t* size);
    MHD_Result end_of_body(HttpExchange& exchange);
    MHD_Result send(HttpExchange& exchange);
    MHD_Result send_later(HttpExchange& exchange);
    void suspend(HttpExchange& exchange);
    void give_up(HttpConnection& connection, const char* answer);
    std::string shown(const HttpExchange& exchange) const;
    // The border: what escapes a handler ends its request and its connection alone.
    task<void> serve(std::shared_ptr<HttpExchange> exchange);
};

// Loaded: there is a server only then.
const Microhttpd& mhd();
HttpConnection& connection_of(MHD_Connection* connection);

}  // namespace jobq
