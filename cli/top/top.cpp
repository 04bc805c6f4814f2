// The verb `top`: what jobqd does, on the whole screen of the terminal or as snapshots in a pipe.
//
// top_state reads the answers, top_layout decides what they look like, screen holds the terminal;
// here is the loop that waits for all of them at once, so that a key is heeded while jobqd is slow
// or away. At most one pair of questions is under way.
#include <array>

#include "cli/base/interrupt.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/terminal/screen.h"
#include "cli/top/top_layout.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--interval", "", "DURATION", "refresh interval (default: 1s)"},
    Option{"--once", "", "", "print one snapshot and end", Takes::nothing},
    Option{"--snapshots", "", "N", "print N snapshots, one after each interval, and end"},
};
constexpr int64_t kIntervalMs = 1'000, kIntervalLeastMs = 100;
constexpr int64_t kIntervalMostMs = 24 * 3'600'000;
constexpr int64_t kRetryMs = 1'000;  // between two tries to connect
constexpr int64_t kSlowMs = 2'000;   // an answer that takes longer is worth a remark
constexpr int64_t kIdleMs = 60'000;  // nothing is due: paused

void take_snapshot(TopView& view, TopSnapshot snapshot) {
    view.rates.reset();
    if (view.snapshot) view.rates = rates_between(*view.snapshot, snapshot);
    view.snapshot = std::move(snapshot);
    view.trouble.clear();
    view.trouble_ms = 0;
}

// STATS and WORKERS in one go, and their answers.
struct Answers {
    std::string stats, workers;
};

void ask(Client& client) {
    client.send("STATS", "{}");
    client.send("WORKERS", "{}");
}

class FullScreen {
  public:
    FullScreen(Invocation& invocation, Client client, Screen& screen, int64_t interval_ms)
        : out_(invocation.out),
          client_(std::move(client)),
          screen_(screen),
          interval_ms_(interval_ms),
          last_answer_ms_(monotonic_ms()) {
        view_.address = client_.address().endpoint.text();
    }

    // The exit status: somebody had enough.
    int run() {
        while (true) {
            ask_when_due();
            if (!draw()) return kInterrupted;
            wait();
            if (interrupted() || gone_) return kInterrupted;
            if (quit_) return kDone;
            take_replies();
        }
    }

  private:
    void ask_when_due() {
        const int64_t now = monotonic_ms();
        if (!client_.alive() && now >= retry_ms_) {
            const auto back = client_.reconnect_once(kConnectMs);
            retry_ms_ = monotonic_ms() + kRetryMs;
            replies_due_ = 0;
            next_ms_ = 0;
            if (!back) set_trouble(back.error().text);
        }
        if (!client_.alive() || view_.paused || replies_due_ > 0 || now < next_ms_) return;
        ask(client_);
        asked_ms_ = monotonic_ms();
        next_ms_ = asked_ms_ + interval_ms_;
        replies_due_ = 2;
    }

    bool draw() {
        if (replies_due_ > 0 && monotonic_ms() - asked_ms_ >= kSlowMs && view_.trouble.empty())
            set_trouble("jobqd is connected but does not answer");
        if (!view_.trouble.empty()) view_.trouble_ms = monotonic_ms() - last_answer_ms_;
        const auto [columns, rows] = screen_.size();
        auto frame = to_frame(
            lay_out_screen(view_, columns, rows), columns,
            [this](std::string_view text, Colour colour) { return out_.paint(text, colour); });
        if (frame == drawn_ && !redraw_) return true;
        redraw_ = false;
        drawn_ = std::move(frame);
        return screen_.write(drawn_);
    }

    // Until a key, a signal, an answer, or something is due.
    void wait() {
        const int64_t now = monotonic_ms();
        int64_t until = now + kIdleMs;
        if (!client_.alive())
            until = retry_ms_;
        else if (replies_due_ > 0)
            until = now + kRetryMs;
        else if (!view_.paused)
            until = next_ms_;
        bool input = false;
        if (client_.alive()) {
            const auto moved = client_.link().pump(until, screen_.input_fd());
            if (!moved && !interrupted()) lose(moved.error());
            input = moved && moved->extra;
        } else {
            pollfd waiting{screen_.input_fd(), POLLIN, 0};
            input = poll_until(&waiting, 1, until);
        }
        if (input) heed(screen_.read());
        if (replies_due_ > 0 && monotonic_ms() - asked_ms_ > kReplyMs) {
            client_.link().close();
        }
    }

    void heed(const Screen::Input& input) {
        gone_ |= input.gone;
        redraw_ |= input.redraw;
        for (const char key : input.keys) {
            if (key == 'q' || key == 'Q') quit_ = true;
            if (key == 's') view_.order = next_order(view_.order);
            if (key == 'p') view_.paused = !view_.paused;
            if (key == '\f') redraw_ = true;
        }
    }

    void take_replies() {
        while (client_.alive() && replies_due_ > 0) {
            auto reply = client_.link().take_reply();
            if (!reply) {
                lose(reply.error());
                return;
            }
            if (!*reply) return;
            auto answer = Client::meaning(std::move(**reply));
            if (!answer) failed_ = answer.error().text;
            (replies_due_ == 2 ? answers_.stats : answers_.workers) =
                answer ? std::move(*answer) : std::string();
            if (--replies_due_ > 0) continue;
            if (failed_.empty()) {
                last_answer_ms_ = monotonic_ms();
                take_snapshot(view_, read_snapshot(JsonView(answers_.stats),
                                                   JsonView(answers_.workers), last_answer_ms_));
            } else {
                set_trouble(failed_);
            }
            failed_.clear();
        }
    }

    void lose(const Error& error) {
        client_.link().close();
        replies_due_ = 0;
        failed_.clear();
        set_trouble(error.text);
    }

    void set_trouble(const std::string& text) {
        view_.trouble = text;
        view_.rates.reset();
    }

    Output& out_;
    Client client_;
    Screen& screen_;
    int64_t interval_ms_;
    TopView view_;
    Answers answers_;
    std::string failed_;  // what one of the answers under way was instead
    std::string drawn_;
    int64_t asked_ms_ = 0, next_ms_ = 0, last_answer_ms_;
    // Not before then: one that takes connections only to close them is not flooded with them.
    int64_t retry_ms_ = 0;
    int replies_due_ = 0;
    bool quit_ = false, gone_ = false, redraw_ = false;
};

void print_json(Output& out, const TopView& view, const Answers& answers) {
    auto object = JsonWriter::object();
    if (view.rates) {
        const auto number = [](double value) { return std::to_string(value); };
        object.raw("rates", JsonWriter::object()
                                .raw("enqueued_per_s", number(view.rates->enqueued))
                                .raw("finished_per_s", number(view.rates->finished))
                                .raw("succeeded_per_s", number(view.rates->succeeded))
                                .raw("failed_per_s", number(view.rates->failed))
                                .done());
    } else {
        object.raw("rates", "null");
    }
    const JsonView stats(answers.stats), workers = JsonView(answers.workers)["workers"];
    object.raw("stats", stats.exists() ? stats.raw() : "null");
    out.line(object.raw("workers", workers.exists() ? workers.raw() : "[]").done());
}

void print_snapshot(Output& out, const TopView& view, const Answers& answers, bool first) {
    if (!out.is_text()) {
        print_json(out, view, answers);
    } else {
        if (!first) out.line("");
        for (const auto& line : lay_out_plain(view))
            out.line(to_text(line, std::string::npos,
                             [](std::string_view text, Colour) { return std::string(text); }));
    }
    out.flush();
}

// Snapshots in a row, for a pipe: `count` of them, or for ever.
Answer<int> run_plain(Invocation& invocation, Client client, int64_t interval_ms,
                      std::optional<int64_t> count) {
    const InterruptScope scope;
    end_with_reader();
    TopView view;
    view.address = client.address().endpoint.text();
    for (int64_t printed = 0; !count || printed < *count;) {
        const int64_t next = monotonic_ms() + interval_ms;
        ask(client);
        auto stats = client.receive(monotonic_ms() + kReplyMs);
        auto workers = client.alive() ? client.receive(monotonic_ms() + kReplyMs) : stats;
        if (interrupted()) return kInterrupted;
        if (stats && workers) {
            const Answers answers{std::move(*stats), std::move(*workers)};
            take_snapshot(view, read_snapshot(JsonView(answers.stats), JsonView(answers.workers),
                                              monotonic_ms()));
            print_snapshot(invocation.out, view, answers, printed == 0);
            if (count && ++printed == *count) break;
            if (!count) printed = 1;
        } else {
            const Error error = stats ? workers.error() : stats.error();
            if (count) return tl::unexpected(Failure(error));
            invocation.out.note(error.text + "; retrying");
            // Its late answer would be taken for that to the next question.
            if (error.code == ErrorCode::timeout) client.link().close();
            while (!client.alive() && !interrupted())
                if (!client.reconnect_once(kConnectMs)) sleep_until(monotonic_ms() + kRetryMs);
        }
        sleep_until(next);
        if (interrupted()) return kInterrupted;
    }
    return kDone;
}

Answer<int> run_top(Invocation& invocation) {
    const Args& args = invocation.args;
    const auto interval = args.duration_ms("--interval");
    if (!interval) return tl::unexpected(interval.error());
    const int64_t interval_ms = interval->value_or(kIntervalMs);
    if (interval_ms < kIntervalLeastMs || interval_ms > kIntervalMostMs)
        return give_up(kUsage, "--interval: must be from 100ms to 24h");
    auto count = args.number("--snapshots", 1, int64_t(1) << 40);
    if (!count) return tl::unexpected(count.error());
    if (args.has("--once")) {
        if (*count) return give_up(kUsage, "--once and --snapshots can't be used together");
        *count = 1;
    }
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    if (*count || !invocation.out.is_text() || !has_screen())
        return run_plain(invocation, std::move(*client), interval_ms, *count);
    Screen screen;
    const InterruptScope scope;
    if (const auto entered = screen.enter(); !entered) return tl::unexpected(entered.error());
    const int status = FullScreen(invocation, std::move(*client), screen, interval_ms).run();
    screen.leave();  // a second ^C may end jobq as soon as the scope does
    return status;
}

}  // namespace

const Verb kTop{.name = "top",
                .usage = "",
                .summary = "Show a live view of the daemon on the whole screen",
                .examples = "jobq top\njobq top --once\njobq top --snapshots 10 --json",
                .options = kOptions,
                .more = {},
                .run = run_top};

}  // namespace jobq::cli
