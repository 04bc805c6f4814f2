#include "daemon/server/operations.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/writer.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

using Action = OperationOrder::Action;
using Phase = Operation::Phase;

constexpr int64_t kTellMs = 500;
constexpr int64_t kTryAgainMs = 1'000;
constexpr int kTries = 30;  // of a slice, while the store gives no answer

struct ActionInfo {
    Action action;
    std::string_view name;
    std::string_view states;  // spaces around each
};

constexpr ActionInfo kActions[] = {
    {Action::retry, "retry", " dead retrying scheduled "},
    {Action::cancel, "cancel", " ready scheduled retrying running dead "},
    {Action::remove, "remove", " ready scheduled retrying dead succeeded cancelled expired "},
};

constexpr std::string_view kPhases[] = {"running", "finished", "cancelled", "failed"};

const ActionInfo& info_of(Action action) {
    return kActions[size_t(action)];
}

// It was in this state when the operation began. Of those that failed the walk itself leaves out
// who came later.
bool was_there(const JobView& view, int64_t begun_ms) {
    if (is_final(view.state)) return view.final.finished_ms <= begun_ms;
    if (view.state == State::dead || view.state == State::retrying) return true;
    if (view.record.ready_ms > begun_ms) return false;
    return view.job.created_ms <= begun_ms;
}

// Jobs that are looked at together: with a rate so few that none is held for long between the look
// at it and the deed.
int page_of(const OperationOrder& order) {
    const int64_t most = limits::kListPageMax;
    return int(order.rate == 0 ? most : std::clamp<int64_t>(order.rate * 5, 10, most));
}

// Jobs that are dealt with in one call.
size_t part_of(const OperationOrder& order) {
    return order.rate == 0 ? limits::kScriptJobs
                           : size_t(std::clamp<int64_t>(order.rate / 4, 1, limits::kScriptJobs));
}

bool may_pass(ErrorCode code) {
    return code == ErrorCode::unavailable || code == ErrorCode::unknown ||
           code == ErrorCode::timeout || code == ErrorCode::busy;
}

}  // namespace

Operations::Operations(Reactor& reactor, Broker& broker)
    : reactor_(reactor), broker_(broker), stop_(reactor), gate_(reactor) {}

std::optional<Action> Operations::action_from_name(std::string_view name) {
    for (const auto& row : kActions)
        if (row.name == name) return row.action;
    return std::nullopt;
}

Result<std::shared_ptr<const Operation>> Operations::start(OperationOrder order) {
    const ActionInfo& action = info_of(order.action);
    const std::string state(name(order.state));
    if (action.states.find(" " + state + " ") == std::string_view::npos)
        return fail(ErrorCode::invalid,
                    "jobs that are " + state + " can't be " +
                        (order.action == Action::retry    ? "retried"
                         : order.action == Action::cancel ? "cancelled"
                                                          : "removed") +
                        "; " + std::string(action.name) + " applies to jobs that are" +
                        std::string(action.states.substr(0, action.states.size() - 1)));
    if (stopping_)
        return fail(ErrorCode::unavailable, "jobqd is shutting down; try again in a moment");
    if (running_ >= limits::kOperationsAtOnce)
        return fail(
            ErrorCode::busy,
            std::to_string(running_) +
                " operations are already running; wait until one has finished, or cancel one");
    auto operation = std::make_shared<Operation>();
    operation->id = broker_.new_jid();
    operation->order = std::move(order);
    operation->begun_ms = reactor_.wall_ms();
    all_.push_front(operation);
    while (all_.size() > limits::kOperationsKept && all_.back()->phase != Phase::running)
        all_.pop_back();
    ++running_;
    log(LogLevel::info, "operation.started", std::string(action.name),
        {{"id", operation->id}, {"filter", operation->order.filter_json}});
    gate_.spawn(run(operation));
    return operation;
}

Result<std::shared_ptr<const Operation>> Operations::cancel(const std::string& id) {
    for (const auto& operation : all_) {
        if (operation->id != id) continue;
        if (operation->phase != Phase::running)
            return fail(ErrorCode::conflict, "operation " + id + " has ended: it is " +
                                                 std::string(kPhases[size_t(operation->phase)]));
        operation->stop_asked = true;
        stop_.notify_all();
        return operation;
    }
    return tl::unexpected<Error>(no_such(id));
}

Error Operations::no_such(const std::string& id) {
    return {ErrorCode::not_found,
            "operation " + printable(utf8_prefix(id, 100)) +
                " does not exist; a restart of jobqd ends and forgets operations"};
}

std::shared_ptr<const Operation> Operations::find(const std::string& id) const {
    for (const auto& operation : all_)
        if (operation->id == id) return operation;
    return nullptr;
}

task<void> Operations::stop() {
    stopping_ = true;
    for (const auto& operation : all_)
        operation->stop_asked = true;
    stop_.notify_all();
    co_await gate_.close();
}

std::string Operations::to_json(const Operation& operation) {
    const auto& order = operation.order;
    JsonWriter json;
    json.begin_object().field("id", operation.id).field("action", info_of(order.action).name);
    json.field("state", kPhases[size_t(operation.phase)]).key("filter").raw(order.filter_json);
    if (order.rate > 0) json.field("rate", order.rate);
    json.field("started_at", format_rfc3339(operation.begun_ms));
    if (operation.ended_ms != 0) json.field("ended_at", format_rfc3339(operation.ended_ms));
    if (operation.total >= 0) json.field("total", operation.total);
    json.field("looked_at", operation.looked_at).field("matched", operation.matched);
    json.field("done", operation.done).field("failed", operation.failed);
    if (!operation.trouble.empty()) json.field("trouble", operation.trouble);
    if (operation.stop_asked && operation.phase == Phase::running) json.field("stopping", true);
    json.end_object();
    return json.take();
}

void Operations::tell_soon(Operation& operation) {
    if (reactor_.now_ms() - operation.told_ms >= kTellMs) tell(operation);
}

void Operations::tell(Operation& operation) {
    operation.told_ms = reactor_.now_ms();
    if (!broker_.events().wanted("operation")) return;
    const std::string json = to_json(operation);
    std::string head = "{\"event\":\"operation\",\"time\":\"";
    head += format_rfc3339(reactor_.wall_ms()) + "\",";
    broker_.events().publish({"operation", head + json.substr(1), "", ""});
}

task<void> Operations::pause(std::shared_ptr<Operation> operation, int64_t ms) {
    const int64_t until = reactor_.now_ms() + ms;
    while (!operation->stop_asked && reactor_.now_ms() < until) {
        auto more = stop_.wait(until - reactor_.now_ms());
        co_await more;
    }
}

// How many jobs it will look at, so that its progress can be told.
task<void> Operations::estimate(std::shared_ptr<Operation> operation) {
    const auto& order = operation->order;
    auto stats = co_await broker_.store().stats();
    if (!stats) co_return;
    operation->total = count_of(*stats, order.state).value_or(-1);
    if (order.state != State::ready || order.filter.queue.empty()) co_return;
    QueueRequest one;
    one.names.push_back(order.filter.queue);
    auto found = co_await broker_.store().queue_page(std::move(one));
    if (!found) co_return;
    operation->total = found->queues.empty() ? 0 : found->queues.front().size;
}

task<void> Operations::run(std::shared_ptr<Operation> operation) {
    co_await estimate(operation);
    tell(*operation);
    auto done = co_await run_through(operation);
    operation->phase = !done                   ? Phase::failed
                       : operation->stop_asked ? Phase::cancelled
                                               : Phase::finished;
    if (!done) operation->trouble = done.error().text;
    operation->ended_ms = reactor_.wall_ms();
    --running_;
    log(done ? LogLevel::info : LogLevel::warn, "operation.ended",
        std::string(kPhases[size_t(operation->phase)]),
        {{"id", operation->id}, {"done", operation->done}, {"failed", operation->failed}});
    tell(*operation);
}

// Once through the state: a walk meets each that stays.
task<Result<>> Operations::run_through(std::shared_ptr<Operation> operation) {
    const auto& order = operation->order;
    verbs::ScanRequest scan;
    scan.state = order.state;
    scan.filter = order.filter;
    scan.page = page_of(order);
    scan.limit = scan.page;
    scan.looks = 1;  // one page at a time
    int tries = 0;
    while (!operation->stop_asked) {
        auto page = co_await verbs::scan_jobs(broker_, scan);
        if (!page) {
            if (!may_pass(page.error().code) || ++tries > kTries)
                co_return tl::unexpected<Error>(page.error());
            co_await pause(operation, kTryAgainMs);
            continue;
        }
        tries = 0;
        operation->looked_at += page->looked_at;
        std::vector<std::string> jids;
        for (const auto& view : page->jobs)
            if (was_there(view, operation->begun_ms)) jids.push_back(view.job.jid);
        operation->matched += int64_t(jids.size());
        auto done = co_await act_on_all(operation, std::move(jids));
        if (!done) co_return tl::unexpected<Error>(done.error());
        if (page->next.empty()) break;
        scan.cursor = page->next;
    }
    co_return Result<>{};
}

// In parts, no faster than its rate.
task<Result<>> Operations::act_on_all(std::shared_ptr<Operation> operation,
                                      std::vector<std::string> jids) {
    const auto& order = operation->order;
    const size_t part = part_of(order);
    for (size_t from = 0; from < jids.size() && !operation->stop_asked; from += part) {
        const size_t to = std::min(jids.size(), from + part);
        std::vector<std::string> some(jids.begin() + int64_t(from), jids.begin() + int64_t(to));
        const int64_t count = int64_t(some.size());
        auto done = co_await act(operation, std::move(some));
        if (!done) co_return done;
        if (order.rate > 0) co_await pause(operation, count * 1'000 / order.rate);
        tell_soon(*operation);
    }
    tell_soon(*operation);
    co_return Result<>{};
}

task<Result<std::vector<Result<>>>> Operations::act_once(Action action, Caller from,
                                                         std::vector<std::string> jids) {
    if (action == Action::retry) {
        auto done = co_await broker_.control().requeue(std::move(jids), true, from);
        co_return done;
    }
    if (action == Action::remove) {
        auto done = co_await broker_.control().remove(std::move(jids));
        co_return done;
    }
    auto cancelled = co_await broker_.control().cancel(std::move(jids));
    if (!cancelled) co_return tl::unexpected<Error>(cancelled.error());
    std::vector<Result<>> done;
    for (const auto& one : *cancelled)
        done.push_back(one ? Result<>{} : tl::unexpected<Error>(one.error()));
    co_return done;
}

task<Result<>> Operations::act(std::shared_ptr<Operation> operation,
                               std::vector<std::string> jids) {
    if (jids.empty()) co_return Result<>{};
    for (int tries = 0;; ++tries) {
        auto done = co_await act_once(operation->order.action, operation->order.from, jids);
        if (!done) {
            if (!may_pass(done.error().code) || tries >= kTries || operation->stop_asked)
                co_return tl::unexpected<Error>(done.error());
            co_await pause(operation, kTryAgainMs);
            continue;
        }
        for (const auto& one : *done) {
            ++(one ? operation->done : operation->failed);
            if (!one) operation->trouble = one.error().text;
        }
        co_return Result<>{};
    }
}

}  // namespace jobq
