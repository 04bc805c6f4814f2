// HttpExchange: one request and its answer, as the API sees them. Made and driven by HttpServer;
// lives until both the connection and the handler are done with it.
//
// A plain answer is one answer(). A streamed one is begin(), then write() as often as there is
// something, with drained() between so that a client that reads slowly slows its writer down, and
// end(); gone() says when nobody reads any more, tell_when_gone() has it told. A streamed request
// (streams_body) is read by read_some(), which gives its bytes away: what comes while a handler is
// suspended never changes what the handler holds. The client is not read from while it is not
// asked for more and enough is here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "daemon/http/message.h"

struct MHD_Connection;

namespace jobq {

class HttpServer;

// What the API found out from the head, for its own use.
struct HttpPlan {
    virtual ~HttpPlan() = default;
};

class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
  public:
    explicit HttpExchange(HttpServer& server);
    HttpExchange(const HttpExchange&) = delete;

    const HttpRequest& request() const { return request_; }

    // What the body may have; set before it is read.
    size_t body_limit = 1 << 20;
    // The handler starts as soon as the head is here, and reads the body itself.
    bool streams_body = false;
    std::unique_ptr<HttpPlan> plan;
    // Its password was right.
    bool let_in = false;

    // Of a streamed request: waits for bytes and gives them; "" : it ended, see gone() and
    // too_long().
    task<std::string> read_some();

    // Of one that is not streamed: whole once it is served, and the same from then on.
    const std::string& body() const { return request_.body; }

    // It had more than body_limit; the rest was not kept.
    bool too_long() const { return received_ > body_limit; }

    void answer(HttpResponse response);

    void begin(HttpResponse head);
    // Dropped when the client is gone.
    void write(std::string_view bytes);
    // Until fewer than `bytes` wait to be sent, or the client is gone.
    task<void> drained(size_t bytes);
    void end();
    // Its handler failed: an answer that has not begun says so, one that has is cut short; then the
    // connection is closed.
    void fail_internally();

    // The client went, or the daemon stops: waits are to end.
    bool gone() const { return gone_; }

    // `tell` is called when gone() becomes true, for a handler that waits for something else; an
    // empty one ends that. Without it the going of a client is noticed when it is written to.
    void tell_when_gone(std::function<void()> tell);

  private:
    friend class HttpServer;

    void tell_all();

    enum class Phase : uint8_t { head, body, handled, sending, over };

    HttpServer& server_;
    HttpRequest request_;
    MHD_Connection* connection_ = nullptr;  // null once it is over
    Phase phase_ = Phase::head;
    std::optional<HttpResponse> response_;
    std::string out_;  // of a streamed answer, not yet sent
    size_t received_ = 0;
    bool streams_answer_ = false, ended_ = false, gone_ = false, failed_ = false;
    bool body_complete_ = false, discards_ = false, suspended_ = false;
    Signal readable_, writable_;
    std::function<void()> on_gone_;
};

}  // namespace jobq
