#include "daemon/server/verbs/handlers.h"

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

struct Row {
    std::string_view verb;
    bool jobq;
    VerbHandler handler;
};

// HELLO, PUSH and JOBQ ENQUEUE are the session's own.
constexpr Row kRows[] = {
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

}  // namespace

VerbHandler find_handler(std::string_view verb, bool jobq) {
    for (const auto& row : kRows)
        if (row.jobq == jobq && row.verb == verb) return row.handler;
    return nullptr;
}

}  // namespace jobq
