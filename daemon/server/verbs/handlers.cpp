#include "daemon/server/verbs/handlers.h"

namespace jobq {
namespace {

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
    {"STATUS", true, verbs::status},
    {"WAIT", true, verbs::wait},
    {"RESULT", true, verbs::result},
    {"LOGS", true, verbs::logs},
    {"LIST", true, verbs::list},
    {"CANCEL", true, verbs::cancel},
    {"RETRY", true, verbs::retry},
    {"RM", true, verbs::remove},
    {"RETRY_DEAD", true, verbs::retry_dead},
    {"QUEUES", true, verbs::queues},
    {"PAUSE", true, verbs::pause},
    {"RESUME", true, verbs::resume},
    {"CLEAR", true, verbs::clear},
    {"STATS", true, verbs::stats},
    {"WORKERS", true, verbs::workers},
    {"SIGNAL", true, verbs::signal},
    {"EVENTS", true, verbs::events},
    {"PING", true, verbs::ping},
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
