// GET .../log: what a job wrote, as JSON lines or as bare text, followed while it runs.
#include "core/base/text.h"
#include "core/json/fields.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

namespace jobq::api {
namespace {

constexpr size_t kUnsentLogBytes = 256 << 10;

// The answer begins with the first message, so that an error before it is a problem.
class LogLines : public verbs::Messages {
  public:
    LogLines(HttpExchange& exchange, bool bare) : exchange_(exchange), bare_(bare) {}

    void send(std::string_view json) override {
        begin();
        if (bare_) return;
        exchange_.write(json);
        exchange_.write("\n");
    }

    void output(int attempt, const OutputPiece& piece) override {
        if (!bare_) return Messages::output(attempt, piece);
        begin();
        exchange_.write(piece.bytes);
    }

    void left_out(int attempt, OutputStream stream, LeftOut part) override {
        if (!bare_) return Messages::left_out(attempt, stream, part);
        begin();
        exchange_.write("\n... " + std::to_string(part.bytes) + " bytes left out ...\n");
    }

    bool closed() const override { return exchange_.gone(); }

    task<void> drained() override { return exchange_.drained(kUnsentLogBytes); }

    void begin() {
        if (begun_) return;
        begun_ = true;
        HttpResponse head;
        head.type = bare_ ? "text/plain; charset=utf-8" : "application/jsonl";
        exchange_.begin(std::move(head));
    }

    bool begun() const { return begun_; }

  private:
    HttpExchange& exchange_;
    bool bare_, begun_ = false;
};

}  // namespace

task<void> get_log(ApiCall call) {
    HttpExchange& exchange = *call.exchange;
    std::string argument = "{\"jid\":" + json_quoted(call.path.front()), format = "jsonl";
    for (const auto& [name, value] : call.query) {
        if (name == "format") {
            format = value;
        } else {
            argument += ",\"" + name + "\":" + value;
        }
    }
    if (format != "jsonl" && format != "text") {
        exchange.answer(problem({ErrorCode::invalid, "the format must be jsonl or text"}));
        co_return;
    }
    LogLines lines(exchange, format == "text");
    auto done = co_await verbs::logs(call.context, argument + "}", &lines);
    if (done) {
        lines.begin();
    } else if (!lines.begun()) {
        exchange.answer(problem(done.error()));
    }
    exchange.end();
}

}  // namespace jobq::api
