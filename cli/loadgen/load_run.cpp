#include "cli/loadgen/load_run.h"

#include <sys/prctl.h>

#include <algorithm>

#include "cli/base/interrupt.h"
#include "cli/link/client.h"
#include "core/base/text.h"
#include "core/json/view.h"

namespace jobq::cli {
namespace {

constexpr int64_t kAgainUs = 100'000;          // pause before what was refused is sent again
constexpr int64_t kRefusedForUs = 30'000'000;  // then it is given up
constexpr int64_t kTickUs = 200'000;           // of the progress line
constexpr unsigned long kTimerSlackNs = 1'000;
constexpr int64_t kNeverUs = int64_t(1) << 60;

}  // namespace

LoadRun::LoadRun(const LoadPlan& plan, const LoadText& text, LoadBook& book, LoadResult& result,
                 LoadEvents* events, LoadProgress& progress)
    : plan_(plan),
      text_(text),
      book_(book),
      result_(result),
      events_(events),
      progress_(progress),
      schedule_(0, plan.rate, plan.batch) {
    book_.batch = plan.batch;
    if (plan.jobs > 0) {
        book_.acked.reserve(size_t(plan.jobs));
        book_.asked_us.reserve(size_t(plan.jobs / plan.batch + 1));
    }
}

Answer<> LoadRun::connect(const Target& target) {
    for (int i = 0; i < plan_.clients; ++i) {
        auto link = LoadLink::open(target);
        if (!link) return tl::unexpected(link.error());
        clients_.push_back({std::move(*link), {}});
    }
    fds_.resize(clients_.size() + 1);
    return {};
}

// Whether another request is due, the first time.
bool LoadRun::fresh_left(int64_t now_us) const {
    if (plan_.jobs >= 0 && result_.sent >= plan_.jobs) return false;
    const int64_t due_us = schedule_.due_us(int64_t(book_.asked_us.size()));
    if (schedule_.open_loop()) return due_us < end_us_;
    return now_us < end_us_;
}

bool LoadRun::over(int64_t now_us) const {
    return in_flight_ == 0 && again_.empty() && !fresh_left(now_us);
}

bool LoadRun::take_request(int64_t now_us, Request& request) {
    if (!again_.empty() && now_us >= again_at_us_) {
        request = std::move(again_.front());
        again_.pop_front();
        return true;
    }
    if (!fresh_left(now_us)) return false;
    const int64_t due_us = schedule_.due_us(int64_t(book_.asked_us.size()));
    if (due_us > now_us) return false;
    request.first = result_.sent;
    request.count = plan_.batch;
    if (plan_.jobs >= 0) request.count = std::min(request.count, plan_.jobs - result_.sent);
    request.asked_us = schedule_.open_loop() ? due_us : now_us;
    request.only.clear();
    result_.sent += request.count;
    book_.acked.resize(size_t(result_.sent));
    book_.asked_us.push_back(request.asked_us);
    return true;
}

Answer<> LoadRun::send_due() {
    Request request;
    size_t busy = 0;  // clients in a row that can take nothing
    while (busy < clients_.size()) {
        Client& client = clients_[turn_];
        turn_ = (turn_ + 1) % clients_.size();
        if (client.link.writing() || client.in_flight.size() >= size_t(plan_.window)) {
            ++busy;
            continue;
        }
        if (!take_request(monotonic_us(), request)) break;
        busy = 0;
        std::string& out = client.link.out();
        text_.begin(out);
        if (request.only.empty())
            for (int64_t i = 0; i < request.count; ++i)
                text_.add(out, request.first + i);
        for (const int64_t number : request.only)
            text_.add(out, number);
        text_.end(out);
        client.in_flight.push_back(std::move(request));
        ++in_flight_;
        if (!client.link.flush()) return lost();
    }
    return {};
}

int64_t LoadRun::wake_at_us(int64_t now_us) const {
    int64_t at_us = now_us + kTickUs;
    if (!again_.empty()) at_us = std::min(at_us, again_at_us_);
    if (!fresh_left(now_us)) return at_us;
    const int64_t due_us = schedule_.due_us(int64_t(book_.asked_us.size()));
    const bool room = std::any_of(clients_.begin(), clients_.end(), [this](const Client& client) {
        return !client.link.writing() && client.in_flight.size() < size_t(plan_.window);
    });
    return room ? std::min(at_us, due_us) : at_us;
}

Answer<> LoadRun::wait_and_read() {
    for (size_t i = 0; i < clients_.size(); ++i) {
        const bool writing = clients_[i].link.writing();
        fds_[i] = {clients_[i].link.fd(), short(writing ? POLLIN | POLLOUT : POLLIN), 0};
    }
    fds_.back() = {events_ ? events_->fd() : -1, POLLIN, 0};
    if (!poll_until_us(fds_.data(), fds_.size(), wake_at_us(monotonic_us()))) return {};
    for (size_t i = 0; i < clients_.size(); ++i) {
        if ((fds_[i].revents & POLLOUT) != 0 && !clients_[i].link.flush()) return lost();
        if ((fds_[i].revents & ~POLLOUT) == 0) continue;
        if (auto good = read(clients_[i]); !good) return good;
    }
    if (fds_.back().revents != 0 && !events_->take()) return lost();
    return {};
}

Answer<> LoadRun::read(Client& client) {
    const bool alive = client.link.fill();
    const int64_t now_us = monotonic_us();
    while (const auto reply = client.link.next()) {
        if (client.in_flight.empty()) return lost();
        Request request = std::move(client.in_flight.front());
        client.in_flight.pop_front();
        --in_flight_;
        if (auto good = settle(std::move(request), *reply, now_us); !good) return good;
    }
    if (!alive || client.link.broken()) return lost();
    return {};
}

void LoadRun::acked(const Request& request, int64_t now_us) {
    const int64_t count = request.only.empty() ? request.count : int64_t(request.only.size());
    if (count == 0) return;
    if (request.only.empty())
        for (int64_t i = 0; i < count; ++i)
            book_.acked[size_t(request.first + i)] = true;
    for (const int64_t number : request.only)
        book_.acked[size_t(number)] = true;
    result_.ack.record(now_us - request.asked_us, count);
    result_.acked += count;
    last_ack_us_ = now_us;
}

// PUSH answers with OK, PUSHB with the refused, jid to reason.
Answer<> LoadRun::settle(Request request, const LoadReply& reply, int64_t now_us) {
    if (reply.is_error) {
        const auto meant =
            jobq::cli::Client::meaning({DaemonReply::Kind::error, std::string(reply.text)});
        const Error& error = meant.error();
        if (!info(error.code).retryable) return tl::unexpected(Failure(error));
        return refused(std::move(request), error.text, now_us);
    }
    if (reply.text == "{}" || reply.text == "OK") {
        acked(request, now_us);
        return {};
    }
    const auto members = JsonView(reply.text).members();
    if (members.empty()) return lost();
    Request bad;
    bad.asked_us = request.asked_us;
    for (const auto& [jid, why] : members)
        if (const auto number = text_.ids().number(jid)) bad.only.push_back(*number);
    Request good;
    good.asked_us = request.asked_us;
    std::sort(bad.only.begin(), bad.only.end());
    std::vector<int64_t> all = request.only;
    for (int64_t i = 0; request.only.empty() && i < request.count; ++i)
        all.push_back(request.first + i);
    for (const int64_t number : all)
        if (!std::binary_search(bad.only.begin(), bad.only.end(), number))
            good.only.push_back(number);
    if (good.only.size() < all.size() && !good.only.empty()) acked(good, now_us);
    return refused(std::move(bad), members.front().second.text(), now_us);
}

Answer<> LoadRun::refused(Request request, const std::string& why, int64_t now_us) {
    result_.refused += request.only.empty() ? request.count : int64_t(request.only.size());
    if (now_us - last_ack_us_ > kRefusedForUs)
        return give_up(kTryAgain,
                       "jobqd accepts no more jobs: " + printable(why) + " (" +
                           std::to_string(result_.acked) + " were acknowledged)",
                       "`jobq stats` shows how full it is");
    again_.push_back(std::move(request));
    again_at_us_ = now_us + kAgainUs;
    return {};
}

tl::unexpected<Failure> LoadRun::lost() const {
    return give_up(kNoDaemon,
                   "the connection to jobqd was lost after " + std::to_string(result_.acked) +
                       " acknowledged jobs",
                   "`jobq ping` shows whether jobqd is back; then start `jobq loadgen` again");
}

Answer<> LoadRun::push() {
    if (plan_.rate > 0) prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
    start_us_ = last_ack_us_ = monotonic_us();
    end_us_ = plan_.duration_ms > 0 ? start_us_ + plan_.duration_ms * 1000 : kNeverUs;
    schedule_ = LoadSchedule(start_us_, plan_.rate, plan_.batch);
    Answer<> good;
    while (good && !over(monotonic_us()) && !interrupted()) {
        good = send_due();
        if (good) good = wait_and_read();
        progress_.show("acknowledged", result_.acked, plan_.jobs);
    }
    result_.enqueue_us = (result_.acked > 0 ? last_ack_us_ : monotonic_us()) - start_us_;
    result_.interrupted = interrupted();
    return good;
}

}  // namespace jobq::cli
