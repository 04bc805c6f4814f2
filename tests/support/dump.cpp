// dump(): see dump.h. One line for each place that holds something.
#include "tests/support/dump.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "tests/support/run_task.h"

namespace jobq::test {
namespace {

std::string time_text(int64_t wall_ms) {
    return "@+" + std::to_string(wall_ms - TestReactor::kStartWallMs);
}

std::string text_of(const JobView& view) {
    std::string text = view.job.jid;
    if (view.job.priority != limits::kPriorityNormal)
        text += "^" + std::to_string(view.job.priority);
    if (view.at_ms) text += time_text(view.at_ms);
    if (view.record.attempts) text += " #" + std::to_string(view.record.attempts);
    if (view.record.crashes) text += " crashes=" + std::to_string(view.record.crashes);
    if (!view.record.reason.empty()) text += " " + view.record.reason;
    if (!view.record.errors.empty()) text += " errors=" + std::to_string(view.record.errors.size());
    if (view.cancel_asked) text += " cancel-asked";
    if (view.corrupt) text += " corrupt";
    if (view.state == State::running) text += " " + time_text(view.started_ms);
    if (is_final(view.state)) text += " " + time_text(view.final.finished_ms);
    if (!view.final.result.empty()) text += " \"" + view.final.result + "\"";
    return text;
}

class Dumper {
  public:
    Dumper(Store& store, TestReactor& reactor, int page)
        : store_(store), reactor_(reactor), page_(page) {}

    std::string all(bool with_logs) {
        dump_queues();
        for (State state : {State::scheduled, State::retrying, State::dead})
            dump_set(state, std::string(name(state)), "");
        dump_running();
        for (State state : {State::succeeded, State::cancelled, State::expired})
            dump_over(state);
        if (with_logs) dump_logs();
        dump_totals();
        return out_;
    }

  private:
    void line(const std::string& head, const std::vector<std::string>& items) {
        if (items.empty()) return;
        out_ += head + ":";
        for (const auto& item : items)
            out_ += " " + item;
        out_ += "\n";
    }

    std::vector<JobView> list(State state, const std::string& queue) {
        auto views = list_all(store_, reactor_, state, queue, page_);
        for (const auto& view : views)
            seen_.push_back(view.job.jid);
        return views;
    }

    void dump_set(State state, const std::string& head, const std::string& queue) {
        std::vector<std::string> items;
        for (const auto& view : list(state, queue))
            items.push_back(text_of(view));
        line(head, items);
    }

    void dump_queues() {
        auto infos = run_task(reactor_, store_.queues(false)).value();
        std::vector<std::string> items;
        for (const auto& info : infos)
            items.push_back(info.name + "(" + std::to_string(info.size) +
                            (info.paused ? ",paused)" : ")"));
        line("queues", items);
        for (const auto& info : infos)
            dump_set(State::ready, "ready/" + info.name, info.name);
    }

    void dump_running() {
        std::map<std::string, std::vector<std::string>> by_owner;
        for (const auto& view : list(State::running, ""))
            by_owner[view.owner].push_back(text_of(view));
        for (auto& [owner, items] : by_owner) {
            std::sort(items.begin(), items.end());
            line("running/" + owner, items);
        }
    }

    // Records of an earlier life of a jid may still be listed; only the present one counts.
    void dump_over(State state) {
        auto views = list(state, "");
        std::vector<std::string> jids, items;
        for (const auto& view : views)
            jids.push_back(view.job.jid);
        auto now = run_task(reactor_, store_.get(jids)).value();
        for (size_t i = 0; i < views.size(); ++i)
            if (now[i] && now[i]->state == state && now[i]->final == views[i].final)
                items.push_back(text_of(views[i]));
        std::sort(items.begin(), items.end());
        items.erase(std::unique(items.begin(), items.end()), items.end());
        line(std::string(name(state)), items);
    }

    void dump_logs() {
        std::sort(seen_.begin(), seen_.end());
        seen_.erase(std::unique(seen_.begin(), seen_.end()), seen_.end());
        for (const auto& jid : seen_) {
            auto logs = run_task(reactor_, store_.logs(jid));
            std::vector<std::string> items;
            if (!logs) items.push_back("gone");
            if (logs)
                for (const auto& log : *logs)
                    items.push_back(std::to_string(log.attempt) + ":\"" + log.text + "\"");
            line("logs/" + jid, items);
        }
    }

    void dump_totals() {
        auto owners = run_task(reactor_, store_.owners()).value();
        std::vector<std::string> items;
        for (const auto& owner : owners)
            items.push_back(owner.owner + "(beat " + std::to_string(owner.beat) + ", running " +
                            std::to_string(owner.running) + ")");
        std::sort(items.begin(), items.end());
        line("owners", items);

        auto s = run_task(reactor_, store_.stats()).value();
        items.clear();
        auto add = [&](const char* label, int64_t value) {
            if (value) items.push_back(label + ("=" + std::to_string(value)));
        };
        add("enqueued", s.enqueued);
        add("succeeded", s.succeeded);
        add("failed_attempts", s.failed_attempts);
        add("died", s.died);
        add("cancelled", s.cancelled);
        add("expired", s.expired);
        add("dropped", s.dropped);
        add("removed", s.removed);
        add("processed", s.processed);
        add("scheduled", s.scheduled);
        add("retrying", s.retrying);
        add("dead", s.dead);
        add("ready", s.ready);
        add("running", s.running);
        line("stats", items);
    }

    Store& store_;
    TestReactor& reactor_;
    int page_;
    std::string out_;
    std::vector<std::string> seen_;
};

}  // namespace

std::vector<JobView> list_all(Store& store, TestReactor& reactor, State state,
                              const std::string& queue, int limit) {
    std::vector<JobView> all;
    std::string cursor;
    for (int pages = 0; pages < 10'000; ++pages) {
        ListRequest request{state, queue, cursor, limit};
        auto page = run_task(reactor, store.list(request)).value();
        for (auto& view : page.jobs)
            all.push_back(std::move(view));
        if (page.next.empty()) return all;
        cursor = page.next;
    }
    throw std::runtime_error("a list of " + std::string(name(state)) + " jobs never ends");
}

std::string dump(Store& store, TestReactor& reactor, int page, bool with_logs) {
    return Dumper(store, reactor, page).all(with_logs);
}

std::string failed_text(Store& store, TestReactor& reactor) {
    const auto failed = run_task(reactor, store.failed_groups()).value();
    std::string text;
    for (const auto& group : failed.groups)
        text += group.id + " " + group.cause.to_json() + " dead " + std::to_string(group.dead) +
                " retrying " + std::to_string(group.retrying) + time_text(group.since_ms) +
                time_text(group.latest_ms) + "\n";
    return text;
}

}  // namespace jobq::test
