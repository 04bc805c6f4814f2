#include "cli/follow/wait_for_jobs.h"

#include <algorithm>
#include <array>
#include <list>
#include <set>
#include <unordered_map>

#include "cli/base/interrupt.h"
#include "cli/input/input.h"
#include "cli/line/verb_list.h"
#include "core/base/text.h"
#include "core/job/state.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

// Pause before a daemon whose store is away is asked again.
constexpr int64_t kStoreAwayMs = 250;
// One WAIT asks for no longer than this: a peer that died without a word is noticed then.
constexpr int64_t kOneWaitMs = 60'000;
// And for no more jobs than this: a request is one line of bounded length.
constexpr size_t kJobsAtOnce = 5'000;

constexpr std::array kOptions{
    Option{"--timeout", "", "DURATION", "stop waiting after this long, with exit status 124"},
};

bool is_over(JsonView job) {
    const auto state = state_from_name(job["state"].text());
    return job["error"].exists() || (state && (is_final(*state) || *state == State::dead));
}

// The jobs that are waited for, in order; each leaves at once, however many there are.
class OpenJobs {
  public:
    explicit OpenJobs(std::vector<std::string> jids) {
        for (auto& jid : jids) {
            order_.push_back(std::move(jid));
            const bool fresh = places_.emplace(order_.back(), std::prev(order_.end())).second;
            if (!fresh) order_.pop_back();
        }
    }

    bool empty() const { return order_.empty(); }

    std::vector<std::string> first(size_t count) const {
        const auto end = std::next(order_.begin(), std::ptrdiff_t(std::min(count, order_.size())));
        return {order_.begin(), end};
    }

    // False: it is not among them.
    bool take(const std::string& jid) {
        const auto found = places_.find(jid);
        if (found == places_.end()) return false;
        order_.erase(found->second);
        places_.erase(found);
        return true;
    }

  private:
    std::list<std::string> order_;
    std::unordered_map<std::string, std::list<std::string>::iterator> places_;
};

// Reads one WAIT's answers to its end; takes the jobs that are over out of `open`.
Result<> read_answers(Client& client, OpenJobs& open, int64_t deadline_ms,
                      const std::function<void(JsonView)>& seen) {
    while (true) {
        const auto message = client.receive(deadline_ms);
        if (!message) return tl::unexpected(message.error());
        const JsonView job(*message);
        if (job["end"].flag()) return {};
        if (is_over(job) && open.take(job["jid"].text())) seen(job);
    }
}

// What a wait may outlive: a lost or silent daemon, a store that is being restarted.
bool may_pass(const Client& client, const Error& error) {
    return !client.alive() || error.code == ErrorCode::timeout ||
           error.code == ErrorCode::unavailable;
}

Answer<int> run_wait(Invocation& invocation) {
    const auto limit = invocation.args.duration_ms("--timeout");
    if (!limit) return tl::unexpected(limit.error());
    std::vector<std::string> jids;
    std::set<std::string> known;
    auto read = each_ids(invocation.args.words, [&](const std::vector<std::string>& some) {
        for (const auto& jid : some)
            if (known.insert(jid).second) jids.push_back(jid);
        return Answer<>();
    });
    if (!read) return tl::unexpected(read.error());
    if (jids.empty()) return kDone;
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Output& out = invocation.out;
    const bool single = jids.size() == 1;
    int status = kDone;
    Records records(out);
    const InterruptScope scope;
    const auto end = wait_for(*client, out, jids, *limit, [&](JsonView job) {
        const int one = status_of_job(job);
        status = single ? one : std::max(status, one == kDone ? kDone : kJobFailed);
        if (!out.is_text()) {
            records.add(job.raw());
        } else if (out.quiet()) {
            out.line(job["jid"].text());
        } else if (job["error"].exists()) {
            out.note("job '" + printable(job["jid"].text()) + "' does not exist");
        } else {
            const std::string state = job["state"].text();
            out.line(job["jid"].text() + " " + out.paint(state, state_colour(state)));
        }
        out.flush();
    });
    if (!end) return tl::unexpected(end.error());
    if (!out.is_text()) records.end();
    if (*end == WaitEnd::interrupted) return kInterrupted;
    if (*end == WaitEnd::timed_out)
        return give_up(kTimedOut, "stopped waiting: the --timeout has expired",
                       "the jobs continue; `jobq status` shows their state");
    return status;
}

}  // namespace

Answer<> come_back(Client& client, Output& out, const Error& lost) {
    if (client.alive() && lost.code == ErrorCode::unavailable) {
        sleep_until(monotonic_ms() + kStoreAwayMs);
        return {};
    }
    client.link().close();
    out.flush();
    out.note(lost.text + "; reconnecting for up to " + std::to_string(kComeBackMs / 1000) +
             " s (^C stops)");
    const auto back = client.reconnect(kComeBackMs);
    if (back || interrupted()) return {};
    return give_up(
        kNoDaemon,
        "the connection to jobqd was lost and could not be restored: " + back.error().text,
        "the jobs continue; ask again with `jobq wait` or `jobq status`");
}

int status_of_job(JsonView job) {
    if (job["error"].exists()) return kNotFound;
    if (job["state"].text() == name(State::succeeded)) return int(job["exit_code"].number(0));
    const auto errors = job["errors"].items();
    if (!errors.empty() && errors.back()["outcome"].text() == name(Outcome::timeout))
        return kTimedOut;
    const JsonView last = errors.empty() ? job : errors.back();
    for (const JsonView& source : {job, last}) {
        if (const auto signal = source["signal"].maybe_number(); signal && *signal > 0)
            return int(128 + *signal);
        if (const auto code = source["exit_code"].maybe_number(); code && *code != 0)
            return int(*code);
    }
    return kJobFailed;
}

std::string end_in_words(JsonView job) {
    std::string words = "job " + printable(job["jid"].text()) + " is " + job["state"].text();
    const int64_t attempts = job["attempts"].number();
    if (job["state"].text() == name(State::dead))
        words += " after " + std::to_string(attempts) + (attempts == 1 ? " attempt" : " attempts");
    const auto errors = job["errors"].items();
    if (!errors.empty()) {
        const std::string type = errors.back()["error_type"].text();
        const std::string message = errors.back()["message"].text();
        words += ": " + printable(type) + (type.empty() || message.empty() ? "" : ": ") +
                 printable(utf8_prefix(message, 300));
    }
    return words;
}

Answer<WaitEnd> wait_for(Client& client, Output& out, std::vector<std::string> jids,
                         std::optional<int64_t> limit_ms,
                         const std::function<void(JsonView job)>& seen) {
    constexpr int64_t kForeverMs = int64_t(1) << 50;
    const int64_t end = monotonic_ms() + limit_ms.value_or(kForeverMs);
    int64_t trouble_since = 0;
    OpenJobs open(std::move(jids));
    while (!open.empty()) {
        const int64_t left = std::clamp<int64_t>(end - monotonic_ms(), 0, kOneWaitMs);
        auto request = JsonWriter::object();
        request.field("jids", open.first(kJobsAtOnce)).field("timeout_ms", left);
        client.send("WAIT", request.done());
        const auto read = read_answers(client, open, monotonic_ms() + left + kConnectMs, seen);
        if (interrupted()) return WaitEnd::interrupted;
        if (!read && !may_pass(client, read.error())) return tl::unexpected(Failure(read.error()));
        if (open.empty()) break;
        if (monotonic_ms() >= end) return WaitEnd::timed_out;
        if (read) {
            trouble_since = 0;
            continue;
        }
        if (trouble_since == 0) trouble_since = monotonic_ms();
        if (monotonic_ms() - trouble_since > kComeBackMs)
            return tl::unexpected(Failure(read.error()));
        auto back = come_back(client, out, read.error());
        if (!back) return tl::unexpected(back.error());
        if (interrupted()) return WaitEnd::interrupted;
    }
    return WaitEnd::all_over;
}

const Verb kWait{
    .name = "wait",
    .usage = "JID...|-",
    .summary = "Wait until jobs have finished",
    .examples = "jobq wait 01KB7D3V9GQ2J5\njobq enqueue report | jobq wait --timeout 10m -",
    .options = kOptions,
    .more = {},
    .min_words = 1,
    .max_words = -1,
    .run = run_wait};

}  // namespace jobq::cli
