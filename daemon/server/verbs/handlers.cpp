#include "daemon/server/verbs/handlers.h"

#include <array>

#include "daemon/server/verbs/actions.h"

namespace jobq {
namespace {

template <verbs::Action action>
task<void> answer(Session& session, std::string argument) {
    auto done = co_await action(session.context(), std::move(argument));
    if (done) {
        session.reply_bulk(*done);
    } else {
        session.reply_error(done.error());
    }
}

template <verbs::Rerun action>
task<void> answer(Session& session, std::string argument) {
    auto done = co_await action(session.context(), std::move(argument), session.caller());
    if (done) {
        session.reply_bulk(*done);
    } else {
        session.reply_error(done.error());
    }
}

class ToSession : public verbs::Messages {
  public:
    explicit ToSession(Session& session) : session_(session) {}

    void send(std::string_view json) override { session_.reply_bulk(json); }

    bool closed() const override { return session_.closed(); }

    task<void> drained() override { return session_.drained(); }

  private:
    Session& session_;
};

template <verbs::Streaming action>
task<void> stream(Session& session, std::string argument) {
    ToSession to(session);
    auto done = co_await action(session.context(), std::move(argument), &to);
    if (!done) session.reply_error(done.error());
}

template <bool jobq>
task<void> enqueue(Session& session, std::string argument) {
    return session.store_pushes(std::move(argument), jobq);
}

struct Row {
    std::string_view verb;
    bool jobq;
    VerbHandler handler;
};

constexpr Row kRows[] = {
    {"PUSH", false, enqueue<false>},
    {"ENQUEUE", true, enqueue<true>},
    {"END", false, verbs::end},
    {"PUSHB", false, verbs::push_bulk},
    {"FETCH", false, verbs::fetch},
    {"ACK", false, verbs::ack},
    {"FAIL", false, verbs::fail_job},
    {"BEAT", false, verbs::beat},
    {"INFO", false, verbs::info_verb},
    {"FLUSH", false, verbs::flush},
    {"QUEUE", false, verbs::queue},
    {"MUTATE", false, verbs::mutate},
    {"TRACK", false, verbs::track},
    {"BATCH", false, verbs::batch},
    {"STATUS", true, answer<verbs::status>},
    {"WAIT", true, stream<verbs::wait>},
    {"RESULT", true, answer<verbs::result>},
    {"LOGS", true, stream<verbs::logs>},
    {"LIST", true, answer<verbs::list>},
    {"CANCEL", true, answer<verbs::cancel>},
    {"RETRY", true, answer<verbs::retry>},
    {"RELEASE", true, answer<verbs::release>},
    {"RM", true, answer<verbs::remove>},
    {"RETRY_DEAD", true, answer<verbs::retry_dead>},
    {"DEAD_GROUPS", true, answer<verbs::dead_groups>},
    {"OPERATE", true, answer<verbs::operate>},
    {"OPERATIONS", true, answer<verbs::operations>},
    {"STOP_OPERATION", true, answer<verbs::stop_operation>},
    {"QUEUES", true, answer<verbs::queues>},
    {"PAUSE", true, answer<verbs::pause>},
    {"RESUME", true, answer<verbs::resume>},
    {"CLEAR", true, answer<verbs::clear>},
    {"STATS", true, answer<verbs::stats>},
    {"WORKERS", true, answer<verbs::workers>},
    {"SIGNAL", true, answer<verbs::signal>},
    {"EVENTS", true, stream<verbs::events>},
    {"PING", true, answer<verbs::ping>},
    {"PROFILE", true, verbs::profile},
    {"POOLS", true, verbs::pools},
    {"TAKE", true, verbs::take},
    {"DONE", true, verbs::done},
    {"HEARTBEAT", true, verbs::heartbeat},
    {"OUTPUT", true, verbs::output},
    {"DOCTOR", true, verbs::doctor},
    {"IMPORT", true, verbs::import_jobs},
};

constexpr VerbHandler handler_of(const VerbInfo& verb) {
    for (const auto& row : kRows)
        if (row.jobq == verb.jobq() && row.verb == verb.name) return row.handler;
    return nullptr;
}

// By a verb's place in kVerbs.
constexpr auto kHandlers = [] {
    std::array<VerbHandler, kVerbs.size()> handlers{};
    for (size_t i = 0; i < kVerbs.size(); ++i)
        handlers[i] = handler_of(kVerbs[i]);
    return handlers;
}();

constexpr size_t without_handler() {
    size_t count = 0;
    for (VerbHandler handler : kHandlers)
        count += handler == nullptr;
    return count;
}

// HELLO, which opens a session, and the bare prefix.
static_assert(without_handler() == 2);
static_assert(std::size(kRows) + without_handler() == kVerbs.size());

}  // namespace

VerbHandler find_handler(const VerbInfo& verb) {
    return kHandlers[size_t(&verb - kVerbs.data())];
}

}  // namespace jobq
