// POST /api/v1/jobs:bulk: a job a line in, a result a line out, in order. Lines are stored in
// pieces as they come; the client is not read from while a piece is being stored.
//
// Must stay true: a line that is refused refuses itself alone, and is told by its number.
#include "core/base/text.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

namespace jobq::api {
namespace {

constexpr size_t kPiece = 1'000;        // lines stored together
constexpr int64_t kLinesMax = 200'000;  // of one request: their results wait for its end

struct Piece {
    std::vector<Result<EnqueueRequest>> requests;
    std::vector<int64_t> lines;  // their numbers
    std::vector<Job> jobs;

    void add(int64_t line, Result<EnqueueRequest> request) {
        lines.push_back(line);
        if (request) jobs.push_back(request->take_job());
        requests.push_back(std::move(request));
    }
};

void write_line(std::string& out, int64_t line, std::string_view object) {
    out += "{\"line\":" + std::to_string(line) + ",";
    out += object.substr(1);
    out += '\n';
}

void write_refusal(std::string& out, int64_t line, const Error& error) {
    JsonWriter json;
    json.begin_object().field("code", info(error.code).name).field("detail", error.text);
    json.end_object();
    write_line(out, line, json.take());
}

// Stores a piece and notes its results.
task<void> store(Broker& broker, Caller from, Piece piece, std::string* out) {
    auto results = co_await broker.intake().enqueue(std::move(piece.jobs), from);
    size_t at = 0;
    for (size_t i = 0; i < piece.requests.size(); ++i) {
        const auto& request = piece.requests[i];
        if (!request) {
            write_refusal(*out, piece.lines[i], request.error());
            continue;
        }
        const auto& result = results[at++];
        auto answer = verbs::enqueued(broker, *request, result);
        if (answer) {
            write_line(*out, piece.lines[i], with_job_id(result->jid, *answer));
        } else {
            write_refusal(*out, piece.lines[i], answer.error());
        }
    }
}

// Bytes into lines into pieces.
class Reader {
  public:
    Reader(ServerContext& context, const HttpRequest& request)
        : context_(context), traceparent_(trace_of(request)) {}

    // Takes whole lines from `body`, from `at` on, until the piece is full: true, or there are no
    // more.
    bool take(const std::string& body, size_t& at) {
        while (piece.requests.size() < kPiece) {
            size_t end = body.find('\n', at);
            // Of a line that is too long only so much is kept that it is seen to be.
            size_t room = limits::kLineBytes + 1 - std::min(line_.size(), limits::kLineBytes + 1);
            line_.append(body, at, std::min(room, std::min(end, body.size()) - at));
            at = std::min(end, body.size());
            if (end == body.npos) return false;
            ++at;
            end_line();
        }
        return true;
    }

    void end_line() {
        if (++number == 1 && line_.starts_with("\xEF\xBB\xBF")) line_.erase(0, 3);
        if (!trim(line_).empty()) piece.add(number, read_line());
        line_.clear();
    }

    Piece piece;
    int64_t number = 0;

  private:
    Result<EnqueueRequest> read_line() const {
        if (line_.size() > limits::kLineBytes)
            return fail(ErrorCode::too_large,
                        "the line has more than " + std::to_string(limits::kLineBytes) + " bytes");
        Broker& broker = context_.broker;
        auto request = parse_enqueue(line_, broker.reactor().wall_ms(), broker.new_jid());
        if (!request) return tl::unexpected<Error>(with_place(request.error(), line_));
        if (request->job.traceparent.empty()) request->job.traceparent = traceparent_;
        return request;
    }

    ServerContext& context_;
    const std::string traceparent_;  // of lines that name none
    std::string line_;
};

}  // namespace

task<void> enqueue_bulk(ApiCall call) {
    HttpExchange& exchange = *call.exchange;
    std::string out;
    Reader reader(call.context, exchange.request());
    const Caller from = call.context.access.caller(exchange.request().is_unix);
    bool more = true;
    while (more && reader.number < kLinesMax) {
        const std::string bytes = co_await exchange.read_some();
        more = !bytes.empty();
        size_t at = 0;
        bool full = true;
        while (full) {
            full = reader.take(bytes, at);
            bool last = !more && !full && !exchange.gone() && !exchange.too_long();
            if (last) reader.end_line();
            Piece piece = std::exchange(reader.piece, Piece());
            if (piece.requests.empty()) continue;
            co_await store(call.context.broker, from, std::move(piece), &out);
        }
    }
    if (more || exchange.too_long())
        write_refusal(
            out, reader.number + 1,
            {ErrorCode::too_large,
             "the request is too long; send the rest, from this line on, in another request"});
    HttpResponse response;
    response.type = "application/jsonl";
    response.body = std::move(out);
    exchange.answer(std::move(response));
}

}  // namespace jobq::api
