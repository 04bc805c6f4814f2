// JOBQ LOGS: what a job wrote, in the order of time, followed while it runs. Shapes in
// jobq-protocol(7).
#include <algorithm>
#include <array>
#include <map>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/codec.h"
#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr int64_t kLookAgainMs = 5'000;  // should a change have been missed
constexpr int64_t kNotHereMs = 250;      // for a job that waits, or runs elsewhere

// Sends the pieces of one attempt after the other: each byte once, whole characters, and what is
// missing between them with its place and size.
class Sender {
  public:
    Sender(Messages* to, bool with_stdout) : to_(to), with_stdout_(with_stdout) {}

    // False when the attempt is one that was passed.
    bool reach(int attempt) {
        if (attempt > attempt_) {
            finish();
            attempt_ = attempt;
            streams_ = {};
        }
        return attempt == attempt_;
    }

    void send(OutputPiece piece) {
        if (piece.stream == OutputStream::out && !with_stdout_) return;
        Stream& stream = streams_[size_t(piece.stream)];
        const int64_t known = stream.sent - piece.offset;
        if (known >= int64_t(piece.bytes.size())) return;
        if (known > 0) {
            piece.bytes.erase(0, size_t(known));
            piece.offset = stream.sent;
        }
        skip_to(piece.stream, piece.offset);
        stream.sent = piece.end();
        if (!stream.begun.empty()) {
            piece.offset -= int64_t(stream.begun.size());
            piece.bytes.insert(0, std::exchange(stream.begun, {}));
        }
        const size_t open = unfinished_utf8(piece.bytes);
        if (open > 0) {
            stream.begun = piece.bytes.substr(piece.bytes.size() - open);
            stream.begun_ms = piece.at_ms;
            piece.bytes.resize(piece.bytes.size() - open);
        }
        if (!piece.bytes.empty()) to_->output(attempt_, piece);
    }

    // What a stream has before that offset and was not sent is not there.
    void skip_to(OutputStream name, int64_t offset) {
        Stream& stream = streams_[size_t(name)];
        if (stream.sent >= offset || (name == OutputStream::out && !with_stdout_)) return;
        finish(name);
        to_->left_out(attempt_, name, {stream.sent, offset - stream.sent});
        stream.sent = offset;
    }

    // Characters that were not completed, as they are.
    void finish() {
        finish(OutputStream::err);
        finish(OutputStream::out);
    }

  private:
    struct Stream {
        int64_t sent = 0;
        std::string begun;  // of a character whose end has not come
        int64_t begun_ms = 0;
    };

    void finish(OutputStream name) {
        Stream& stream = streams_[size_t(name)];
        if (stream.begun.empty()) return;
        const int64_t at = stream.sent - int64_t(stream.begun.size());
        to_->output(attempt_, {name, at, stream.begun_ms, std::exchange(stream.begun, {})});
    }

    Messages* to_;
    bool with_stdout_;
    int attempt_ = 0;
    std::array<Stream, 2> streams_{};
};

void send_kept(Sender& sender, const Output& kept) {
    for (auto& piece : in_order(kept))
        sender.send(std::move(piece));
    sender.skip_to(OutputStream::err, int64_t(kept.err.size()) + kept.err_cut.bytes);
    sender.skip_to(OutputStream::out, int64_t(kept.out.size()) + kept.out_cut.bytes);
}

task<void> send_file(Broker& broker, Messages* to, Sender* sender, OutputFiles::Key key) {
    auto file = broker.output_files().read(key);
    while (file && !to->closed()) {
        auto piece = file->next();
        if (!piece) break;
        sender->send(std::move(*piece));
        co_await to->drained();
    }
}

// What is kept of one attempt: in a file, and in the store.
task<void> send_attempt(Broker& broker, Messages* to, Sender* sender, OutputFiles::Key key,
                        Output kept) {
    if (!sender->reach(key.attempt)) co_return;
    co_await send_file(broker, to, sender, std::move(key));
    send_kept(*sender, kept);
}

// What the job's ended attempts left that was not sent; `only` 0: of all of them.
task<Result<>> send_ended(Broker& broker, Messages* to, Sender* sender, JobView view, int only) {
    auto logs = co_await broker.store().logs(view.job.jid);
    if (!logs) co_return tl::unexpected<Error>(logs.error());
    std::map<int, Output> attempts;
    for (const auto& log : *logs)
        attempts[log.attempt] = decode_output(log.text);
    // What the last one wrote to stdout is the result, if it succeeded.
    if (view.state == State::succeeded && view.final.attempts > 0) {
        Output& last = attempts[view.final.attempts];
        last.out = std::move(view.final.result);
        last.out_cut = view.final.result_cut;
    }
    for (auto& [attempt, kept] : attempts) {
        if (only != 0 && only != attempt) continue;
        OutputFiles::Key key{view.job.jid, attempt};
        co_await send_attempt(broker, to, sender, std::move(key), std::move(kept));
    }
    sender->finish();
    co_return Result<>{};
}

// What one attempt writes, until it ends. False: it does not run here.
task<bool> follow(Broker& broker, Messages* to, std::string jid, Sender* sender,
                  Follower* follower) {
    Running* known = broker.running().find(jid);
    if (!known) co_return false;
    const std::shared_ptr<LiveOutput> live = known->live_output(broker.reactor());
    const std::string token = known->token();
    const int attempt = current_attempt(known->record);
    if (!sender->reach(attempt)) co_return true;
    OutputFiles::Key key{jid, attempt};
    co_await send_file(broker, to, sender, std::move(key));
    while (!to->closed()) {
        while (auto piece = follower->next(live)) {
            sender->send(std::move(*piece));
            co_await to->drained();
            if (to->closed()) co_return true;
        }
        known = broker.running().find(jid);
        if (!known || known->token() != token) break;
        auto changed = live->changed.wait(kLookAgainMs);
        co_await changed;
    }
    sender->finish();
    co_return true;
}

// What is there of one that runs here.
task<void> send_running(Broker& broker, Messages* to, Sender* sender, std::string jid) {
    Running* known = broker.running().find(jid);
    if (!known || !known->output) co_return;
    const std::shared_ptr<LiveOutput> live = known->output;
    const int attempt = current_attempt(known->record);
    if (!sender->reach(attempt)) co_return;
    OutputFiles::Key key{jid, attempt};
    co_await send_file(broker, to, sender, std::move(key));
    int64_t place = 0;
    while (auto piece = live->next(place))
        sender->send(std::move(*piece));
    sender->finish();
}

std::string end_of(const JobView& view) {
    JsonWriter json;
    json.begin_object().field("end", true).field("state", name(view.state));
    std::optional<int> code = view.final.exit_code, signal = view.final.signal;
    if (view.state == State::dead && !view.record.errors.empty()) {
        code = view.record.errors.back().exit_code;
        signal = view.record.errors.back().signal;
        json.field("outcome", name(view.record.errors.back().outcome));
    }
    if (code) json.field("exit_code", *code);
    if (signal) json.field("signal", *signal);
    return json.end_object().take();
}

}  // namespace

void Messages::output(int attempt, const OutputPiece& piece) {
    JsonWriter json;
    json.begin_object().field("attempt", attempt).field("stream", name(piece.stream));
    json.field("at", piece.offset);
    if (piece.at_ms != 0) json.field("time", format_rfc3339(piece.at_ms));
    if (takes_bytes && !is_utf8(piece.bytes)) {
        json.field("b64", base64_encode(piece.bytes));
    } else {
        json.field("text", piece.bytes);
    }
    send(json.end_object().take());
}

void Messages::left_out(int attempt, OutputStream stream, LeftOut part) {
    JsonWriter json;
    json.begin_object().field("attempt", attempt).field("stream", name(stream));
    json.field("at", part.at).field("left_out", part.bytes).end_object();
    send(json.take());
}

task<Result<>> logs(ServerContext& context, std::string argument, Messages* to) {
    Request request(argument);
    auto jid = request.some_text("jid");
    const bool following = request.flag("follow"), with_stdout = request.flag("stdout");
    const bool expected = request.flag("expect");
    to->takes_bytes = request.flag("binary");
    const int attempt = int(std::clamp<int64_t>(request.number("attempt"), 0, INT32_MAX));
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    Broker& broker = context.broker;
    if (expected) {
        broker.followers().expect(jid);
        to->send("{\"end\":true}");
        co_return Result<>{};
    }
    std::unique_ptr<Follower> follower;
    if (following) follower = std::make_unique<Follower>(broker.followers(), jid);
    bool first = true;
    Sender sender(to, with_stdout);
    while (!to->closed()) {
        std::vector<std::string> one{jid};
        auto views = co_await broker.store().get(std::move(one));
        if (!views || !views->front()) {
            co_return tl::unexpected<Error>(views ? views->front().error() : views.error());
        }
        JobView view = std::move(*views->front());
        const bool over = is_final(view.state) || view.state == State::dead;
        if (first || over) {
            auto sent = co_await send_ended(broker, to, &sender, view, attempt);
            if (!sent) co_return sent;
        }
        first = false;
        bool here = false;
        if (view.state == State::running && following) {
            here = co_await follow(broker, to, jid, &sender, follower.get());
        } else if (view.state == State::running) {
            co_await send_running(broker, to, &sender, jid);
        }
        if (over || !following) {
            std::string last = end_of(view);
            to->send(last);
            co_return Result<>{};
        }
        if (!here) co_await broker.watchers().wait_for(jid, kNotHereMs);
    }
    co_return Result<>{};
}

}  // namespace jobq::verbs
