#include "cli/loadgen/load_ends.h"

#include <poll.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "cli/base/interrupt.h"
#include "core/job/state.h"
#include "core/json/view.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

constexpr int64_t kLookUs = 10'000;         // how often it is asked whether all are over
constexpr int64_t kStalledUs = 10'000'000;  // no job ended for so long: say it
constexpr size_t kJobsAtOnce = 500;
constexpr size_t kRequestsAhead = 2;
constexpr int64_t kOpenLookMs = 100, kOpenLimitMs = 30'000;

// Sleeps until then, reading events.
Answer<> read_events_until(LoadEvents* events, int64_t until_us) {
    while (monotonic_us() < until_us && !interrupted()) {
        pollfd waiting{events ? events->fd() : -1, POLLIN, 0};
        if (!poll_until_us(&waiting, 1, until_us)) return {};
        if (!events->take()) return give_up(kNoDaemon, "the connection for events was lost");
    }
    return {};
}

// Looks jobs up by number; those not over go into `open`.
class Checker {
  public:
    Checker(Client& client, const LoadIds& ids, bool must_end, LoadResult& result)
        : client_(client), ids_(ids), must_end_(must_end), result_(result) {}

    Answer<> add(int64_t number) {
        numbers_.push_back(number);
        return numbers_.size() < kJobsAtOnce ? Answer<>() : send();
    }

    Answer<> finish() {
        if (auto good = send(); !good) return good;
        while (!sent_.empty())
            if (auto good = receive(); !good) return good;
        return {};
    }

    std::vector<int64_t> open;

  private:
    Answer<> send() {
        if (numbers_.empty()) return {};
        std::string request = "{\"jids\":[";
        for (const int64_t number : numbers_) {
            request += '"';
            ids_.append(request, number);
            request += "\",";
        }
        request.back() = ']';
        client_.send("STATUS", request + "}");
        sent_.push_back(std::move(numbers_));
        numbers_.clear();
        return sent_.size() < kRequestsAhead ? Answer<>() : receive();
    }

    Answer<> receive() {
        const std::vector<int64_t> asked = std::move(sent_.front());
        sent_.pop_front();
        const auto reply = client_.receive(monotonic_ms() + kReplyMs);
        if (!reply) return tl::unexpected(Failure(reply.error()));
        const auto jobs = JsonView(*reply)["jobs"].items();
        for (size_t i = 0; i < asked.size(); ++i)
            judge(asked[i], i < jobs.size() ? jobs[i] : JsonView());
        return {};
    }

    void judge(int64_t number, JsonView job) {
        const auto state = state_from_name(job["state"].text());
        if (!state) {
            ++result_.lost;
            if (result_.lost_example.empty()) result_.lost_example = ids_.of(number);
        } else if (*state == State::dead) {
            ++result_.dead;
        } else if (must_end_ && !is_final(*state)) {
            open.push_back(number);
            return;
        }
        ++result_.looked_up;
    }

    Client& client_;
    const LoadIds& ids_;
    bool must_end_;
    LoadResult& result_;
    std::vector<int64_t> numbers_;
    std::deque<std::vector<int64_t>> sent_;
};

}  // namespace

Answer<LoadCounts> load_counts(Client& client) {
    const auto reply = client.call("STATS", "{}");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    const JsonView jobs = JsonView(*reply)["jobs"];
    LoadCounts counts;
    for (const char* state : {"succeeded", "dead", "cancelled", "expired", "dropped", "removed"})
        counts.over += jobs[state].number();
    for (const char* state : {"ready", "running", "scheduled", "retrying"})
        counts.open += jobs[state].number();
    return counts;
}

Answer<> wait_for_ends(Client& client, Output& out, LoadResult& result, LoadCounts before,
                       int64_t jobs, int64_t start_us, LoadEvents* events, LoadProgress& progress) {
    int64_t changed_us = monotonic_us();
    bool said = false;
    while (!interrupted()) {
        const auto counts = load_counts(client);
        const int64_t now_us = monotonic_us();
        if (!counts && interrupted()) break;
        if (!counts) return tl::unexpected(counts.error());
        const int64_t ended = std::clamp<int64_t>(counts->over - before.over, 0, jobs);
        if (ended != result.ended) changed_us = now_us;
        result.ended = ended;
        result.run_us = now_us - start_us;
        progress.show("ended", ended, jobs);
        if (ended >= jobs || counts->open == 0) break;
        if (!said && now_us - changed_us > kStalledUs) {
            progress.clear();
            out.note(
                "no job has finished for 10 s: check with `jobq stats` whether a pool runs them "
                "(^C stops waiting, not the jobs)");
            said = true;
        }
        if (auto good = read_events_until(events, now_us + kLookUs); !good) return good;
    }
    if (events && !events->take_rest(jobs))
        return give_up(kNoDaemon, "the connection for events was lost");
    result.interrupted = interrupted();
    return {};
}

Answer<> check_load(Client& client, const LoadPlan& plan, const LoadIds& ids, const LoadBook& book,
                    LoadResult& result, LoadProgress& progress) {
    Checker checker(client, ids, plan.mode != LoadMode::push, result);
    for (size_t number = 0; number < book.acked.size(); ++number) {
        if (!book.acked[number]) continue;
        if (auto good = checker.add(int64_t(number)); !good) return good;
        progress.show("checked", result.looked_up, result.acked);
    }
    if (auto good = checker.finish(); !good) return good;
    // Others may use the daemon too: its counts then say too early that all are over.
    const int64_t limit_ms = monotonic_ms() + kOpenLimitMs;
    while (!checker.open.empty() && monotonic_ms() < limit_ms && !interrupted()) {
        sleep_until(monotonic_ms() + kOpenLookMs);
        const std::vector<int64_t> open = std::move(checker.open);
        checker.open.clear();
        for (const int64_t number : open)
            if (auto good = checker.add(number); !good) return good;
        if (auto good = checker.finish(); !good) return good;
    }
    result.unfinished = int64_t(checker.open.size());
    result.looked_up += result.unfinished;
    result.checked = true;
    return {};
}

}  // namespace jobq::cli
