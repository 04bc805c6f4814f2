// One loop reads lines, keeps a window of requests in flight and prints results in order. What was
// sent and not answered is sent again, with the same jid, after a lost connection or while the
// store is away, for kComeBackMs.
#include "cli/enqueue/bulk.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>

#include "cli/base/interrupt.h"
#include "cli/enqueue/bulk_line.h"
#include "cli/enqueue/submit.h"
#include "cli/follow/wait_for_jobs.h"
#include "cli/input/line_reader.h"
#include "cli/terminal/progress_line.h"
#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr size_t kWindowLines = 4'000;
constexpr size_t kWindowBytes = 8 << 20;
constexpr int64_t kAgainMs = 200;  // pause before a refused request is sent again
constexpr int64_t kProgressMs = 500;

struct Entry {
    int64_t line = 0;
    std::string jid;
    std::string request;  // "" for a line that can't be sent
    bool sent = false;    // once at least
    int64_t first_refused_ms = 0;
    bool again = false;          // refused for now, waits to be sent again
    bool unsure = false;         // a copy that was sent has no answer: it may have been stored
    std::optional<Error> error;  // with done: what came instead of success
    std::string reply;           // with done
    bool done = false;
};

class Bulk {
  public:
    Bulk(Invocation& invocation, Client client, int fd, const std::string& type,
         const std::string& defaults)
        : out_(invocation.out),
          progress_(invocation.out),
          records_(invocation.out),
          client_(std::move(client)),
          reader_(fd, limits::kLineBytes),
          type_(type),
          defaults_(defaults) {}

    Answer<int> run();

  private:
    bool window_full() const {
        return window_.size() >= kWindowLines || window_bytes_ >= kWindowBytes;
    }

    void take_lines();
    void send(size_t index);
    void send_again();
    Result<> take_replies();
    void settle(Entry& entry, Result<std::string> reply);
    void print_done();
    void print(const Entry& entry);
    Result<> turn();
    Answer<> recover(const Error& lost);
    void show_progress(bool last);
    Failure lost_for_good(const Error& lost);
    Answer<int> stopped();

    Output& out_;
    ProgressLine progress_;
    Records records_;
    Client client_;
    LineReader reader_;
    int input_error_ = 0;  // a read failed with it: not the end of the input
    const std::string& type_;
    const std::string& defaults_;
    std::deque<Entry> window_;
    size_t window_bytes_ = 0;
    int64_t first_ = 0;         // number of window_.front(), counted from the start
    std::deque<int64_t> sent_;  // numbers of entries whose reply is awaited, in order
    int64_t again_at_ms_ = 0;   // 0: nothing waits to be sent again
    int64_t last_reply_ms_ = monotonic_ms();
    int64_t started_ms_ = monotonic_ms(), shown_ms_ = 0;
    int64_t stored_ = 0, failed_ = 0;
};

void Bulk::send(size_t index) {
    if (sent_.empty()) last_reply_ms_ = monotonic_ms();
    Entry& entry = window_[index];
    client_.send("ENQUEUE", entry.sent ? as_repeat(entry.request) : entry.request);
    entry.sent = true;
    sent_.push_back(first_ + int64_t(index));
}

void Bulk::take_lines() {
    while (!window_full()) {
        const auto line = reader_.next();
        if (!line) return;
        Entry& entry = window_.emplace_back();
        entry.line = line->number;
        auto made = line->too_long
                        ? Result<BulkLine>(fail(ErrorCode::too_large,
                                                "the line has more than " +
                                                    std::to_string(limits::kLineBytes) + " bytes"))
                        : parse_bulk_line(line->text, type_, defaults_);
        if (!made) {
            entry.done = true;
            entry.error = made.error();
            continue;
        }
        entry.jid = std::move(made->jid);
        entry.request = std::move(made->request);
        window_bytes_ += entry.request.size();
        send(window_.size() - 1);
    }
}

void Bulk::settle(Entry& entry, Result<std::string> reply) {
    const bool refused = !reply && (reply.error().code == ErrorCode::unavailable ||
                                    reply.error().code == ErrorCode::unknown);
    if (refused) {
        if (reply.error().code == ErrorCode::unknown) entry.unsure = true;
        const int64_t now = monotonic_ms();
        if (entry.first_refused_ms == 0) entry.first_refused_ms = now;
        if (now - entry.first_refused_ms < kComeBackMs) {
            entry.again = true;
            if (again_at_ms_ == 0) again_at_ms_ = now + kAgainMs;
            return;
        }
    }
    entry.done = true;
    if (reply) {
        entry.reply = std::move(*reply);
    } else if (entry.unsure && !is_final(reply.error().code)) {
        entry.error = Error{ErrorCode::unknown, reply.error().text + "; an earlier copy of " +
                                                    entry.jid + " may have been stored"};
    } else {
        entry.error = reply.error();
    }
}

Result<> Bulk::take_replies() {
    while (!sent_.empty()) {
        auto reply = client_.link().take_reply();
        if (!reply) return tl::unexpected(reply.error());
        if (!*reply) return {};
        last_reply_ms_ = monotonic_ms();
        const auto index = size_t(sent_.front() - first_);
        sent_.pop_front();
        settle(window_[index], Client::meaning(std::move(**reply)));
    }
    return {};
}

void Bulk::send_again() {
    if (again_at_ms_ == 0 || monotonic_ms() < again_at_ms_) return;
    again_at_ms_ = 0;
    for (size_t i = 0; i < window_.size(); ++i) {
        if (!window_[i].again) continue;
        window_[i].again = false;
        send(i);
    }
}

void Bulk::print(const Entry& entry) {
    const JsonView reply(entry.reply);
    const std::string jid = reply["jid"].exists() ? reply["jid"].text() : entry.jid;
    if (!out_.is_text()) {
        auto object = JsonWriter::object();
        object.field("line", entry.line);
        if (!jid.empty()) object.field("jid", jid);
        if (entry.error) {
            object.field("error", info(entry.error->code).name).field("text", entry.error->text);
        } else {
            for (const char* key : {"state", "how", "note"})
                if (reply[key].exists()) object.raw(key, reply[key].raw());
        }
        records_.add(object.done());
        return;
    }
    if (!entry.error) {
        out_.line(jid);
        return;
    }
    const std::string words = "line " + std::to_string(entry.line) + ": " +
                              std::string(info(entry.error->code).name) + " " + entry.error->text;
    if (out_.quiet()) {
        out_.raw_error("jobq: " + words + "\n");
    } else {
        out_.line(words);
    }
}

void Bulk::print_done() {
    while (!window_.empty() && window_.front().done) {
        const Entry& entry = window_.front();
        ++(entry.error ? failed_ : stored_);
        print(entry);
        window_bytes_ -= entry.request.size();
        window_.pop_front();
        ++first_;
    }
}

void Bulk::show_progress(bool last) {
    if (!progress_.wanted()) return;
    const int64_t now = monotonic_ms();
    if (!last && now - shown_ms_ < kProgressMs) return;
    shown_ms_ = now;
    const int64_t spent = std::max<int64_t>(1, now - started_ms_);
    progress_.show(std::to_string(reader_.lines()) + " lines, " + std::to_string(stored_) +
                   " stored, " + std::to_string(failed_) + " failed, " +
                   std::to_string(stored_ * 1000 / spent) + "/s");
    if (last) progress_.keep();
}

// Reads, writes and prints once; waits when there is nothing else to do.
Result<> Bulk::turn() {
    take_lines();
    send_again();
    if (const auto read = take_replies(); !read) return read;
    print_done();
    show_progress(false);
    const bool wants_input = reader_.wants_more() && !window_full();
    if (window_.empty() && !wants_input) return {};
    out_.flush();
    int64_t deadline = monotonic_ms() + kProgressMs;
    if (again_at_ms_ != 0) deadline = std::min(deadline, again_at_ms_);
    const auto moved = client_.link().pump(deadline, wants_input ? reader_.fd() : -1);
    if (!moved) return tl::unexpected(moved.error());
    if (moved->extra) input_error_ = reader_.fill();
    if (!sent_.empty() && monotonic_ms() - last_reply_ms_ > kReplyMs) {
        client_.link().close();
        return fail(ErrorCode::unknown, "jobqd did not answer in time");
    }
    return {};
}

// After a lost connection: a new one, and all unanswered requests again.
Answer<> Bulk::recover(const Error& lost) {
    out_.note(lost.text + "; " + std::to_string(sent_.size()) +
              " requests have no answer yet and will be sent again (^C stops)");
    sent_.clear();
    const auto back = client_.reconnect(kComeBackMs);
    if (interrupted()) return {};
    if (!back) return tl::unexpected(lost_for_good(back.error()));
    again_at_ms_ = 0;
    for (size_t i = 0; i < window_.size(); ++i) {
        if (!window_[i].done && !window_[i].again) window_[i].unsure = true;
        window_[i].again = false;
        if (!window_[i].done) send(i);
    }
    return {};
}

Failure Bulk::lost_for_good(const Error& lost) {
    const int64_t first_unknown = window_.empty() ? reader_.lines() + 1 : window_.front().line;
    int64_t unknown = 0;
    for (auto& entry : window_) {
        if (entry.done) continue;
        ++unknown;
        entry.done = true;
        entry.error = Error{ErrorCode::unknown, "no answer for " + entry.jid};
    }
    print_done();
    return Failure(kNoDaemon,
                   "the connection to jobqd was lost and could not be restored (" + lost.text +
                       "): " + std::to_string(stored_) + " jobs are stored, " +
                       std::to_string(unknown) + " may be stored, and the lines after " +
                       std::to_string(reader_.lines()) + " were not sent",
                   "continue at line " + std::to_string(first_unknown) + ": tail -n +" +
                       std::to_string(first_unknown) +
                       " FILE | jobq enqueue ... --jsonl -; for the ids in the output without an "
                       "answer, `jobq status` shows which are stored");
}

Answer<int> Bulk::stopped() {
    int64_t unknown = 0;
    for (const auto& entry : window_)
        unknown += entry.done ? 0 : 1;
    return give_up(
        kInterrupted,
        "stopped: " + std::to_string(stored_) + " jobs are stored, " + std::to_string(unknown) +
            " more were sent but have no answer yet",
        "line " + std::to_string(window_.empty() ? reader_.lines() + 1 : window_.front().line) +
            " is the first line without an answer");
}

Answer<int> Bulk::run() {
    const InterruptScope scope;
    while (!reader_.at_end() || !window_.empty()) {
        const auto turned = turn();
        if (interrupted()) {
            show_progress(true);
            return stopped();
        }
        if (turned) continue;
        if (client_.alive()) return tl::unexpected(Failure(turned.error()));
        if (auto back = recover(turned.error()); !back) return tl::unexpected(back.error());
    }
    show_progress(true);
    if (!out_.is_text()) records_.end();
    if (input_error_ != 0)
        return give_up(
            kNoInput,
            "can't read the rest of the input: " + std::string(std::strerror(input_error_)) + "; " +
                std::to_string(stored_) + " jobs are stored, " + std::to_string(failed_) +
                " lines failed",
            "continue at line " + std::to_string(reader_.lines() + 1) +
                " once the input can be read");
    if (failed_ == 0) return kDone;
    out_.note(std::to_string(failed_) + " of " + std::to_string(failed_ + stored_) +
              " lines failed; the output has a line for each of them");
    return kJobFailed;
}

}  // namespace

Answer<int> enqueue_lines(Invocation& invocation, const std::string& type,
                          const std::string& defaults) {
    const std::string& path = invocation.args.text("--jsonl");
    int fd = STDIN_FILENO;
    if (path != "-") {
        fd = open_to_read(path);

        struct stat found {};

        if (fd < 0) return give_up(kNoInput, "can't open '" + path + "': " + std::strerror(errno));
        if (::fstat(fd, &found) == 0 && S_ISDIR(found.st_mode)) {
            ::close(fd);
            return give_up(kNoInput,
                           "'" + path + "' is a directory, not a file with one job per line");
        }
    } else if (isatty(STDIN_FILENO) == 1) {
        invocation.out.note(
            "reading jobs from the terminal, one JSON object per line; press ^D to end");
    }
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Bulk bulk(invocation, std::move(*client), fd, type, defaults);
    auto status = bulk.run();
    if (fd != STDIN_FILENO) ::close(fd);
    return status;
}

}  // namespace jobq::cli
