#include "cli/enqueue/submit.h"

#include <algorithm>
#include <utility>

#include "cli/base/interrupt.h"
#include "cli/follow/result.h"
#include "cli/follow/wait_for_jobs.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/json/writer.h"

namespace jobq::cli {

std::string new_jid() {
    static IdMaker maker;
    return maker.next(wall_ms());
}

namespace {

// It may have been stored or not.
bool is_open_question(const Result<std::string>& reply) {
    if (reply) return false;
    return reply.error().code == ErrorCode::unknown || reply.error().code == ErrorCode::timeout;
}

}  // namespace

std::string as_repeat(const std::string& request) {
    if (JsonView(request)["again"].exists()) return request;
    return "{\"again\":false," + request.substr(1);
}

Answer<Submitted> submit(Client& client, Output& out, const std::string& request,
                         const std::string& jid) {
    auto reply = client.call("ENQUEUE", request);
    const int64_t end = monotonic_ms() + kComeBackMs;
    int64_t pause_ms = 20;
    bool repeated = false;
    while (is_open_question(reply) && monotonic_ms() < end && !interrupted()) {
        out.note(reply.error().text + "; trying again");
        // An answer that comes late must not be taken for the next one's.
        client.link().close();
        sleep_until(monotonic_ms() + std::exchange(pause_ms, std::min<int64_t>(2 * pause_ms, 500)));
        const auto back = client.reconnect(end - monotonic_ms());
        if (!back) break;
        repeated = true;
        reply = client.call("ENQUEUE", as_repeat(request));
    }
    if (reply) {
        const std::string given = JsonView(*reply)["jid"].text();
        return Submitted{given.empty() ? jid : given, std::move(*reply), repeated};
    }
    Failure failure(reply.error());
    // That a repeat was refused for now says nothing of the first copy.
    if (is_open_question(reply) || (repeated && !is_final(reply.error().code))) {
        failure.status = kTryAgain;
        failure.hint = "the job may have been stored; repeating the command with --id " + jid +
                       " is safe, and `jobq status " + jid + "` shows the job";
    }
    return tl::unexpected(std::move(failure));
}

void print_remarks(Output& out, const Submitted& submitted) {
    const JsonView reply(submitted.reply);
    const std::string note = reply["note"].text();
    if (!note.empty()) out.note(printable(note));
    if (!note.empty() || submitted.repeated) return;
    const std::string how = reply["how"].text(), state = printable(reply["state"].text());
    if (how == "existing")
        out.note("nothing was stored: job " + printable(submitted.jid) + " already has this key (" +
                 state + ")");
    if (how == "same")
        out.note("nothing was stored: job " + printable(submitted.jid) + " is " + state +
                 "; use another --id, or --again once it has finished, to run it again");
}

void print_submitted(Output& out, const Submitted& submitted) {
    const JsonView reply(submitted.reply);
    if (out.is_text()) {
        out.line(submitted.jid);
    } else {
        out.line(reply.raw());
    }
    if (out.is_text()) print_remarks(out, submitted);
}

Answer<int> see_through(Client& client, Output& out, const std::string& jid,
                        std::optional<int64_t> limit_ms) {
    const InterruptScope scope;
    std::string last;
    const auto end = wait_for(client, out, {jid}, limit_ms,
                              [&last](JsonView job) { last = std::string(job.raw()); });
    if (!end) return tl::unexpected(end.error());
    const std::string follow =
        "job " + jid + " continues; follow it with: jobq wait " + jid + ", jobq logs -f " + jid;
    if (*end == WaitEnd::interrupted)
        return give_up(kInterrupted, "stopped waiting; the job was not stopped", follow);
    if (*end == WaitEnd::timed_out)
        return give_up(kTimedOut, "stopped waiting: the --timeout has expired", follow);
    const JsonView job(last);
    auto printed = print_outcome(client, out, job);
    if (!printed) return tl::unexpected(printed.error());
    if (job["state"].text() == "succeeded") return kDone;
    return give_up(kJobFailed, end_in_words(job),
                   "`jobq status " + jid + "` and `jobq logs " + jid +
                       "` show details; `jobq retry " + jid + "` runs it again");
}

}  // namespace jobq::cli
