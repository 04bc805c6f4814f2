// Reporter: tells jobqd how attempts ended (DONE) and what running jobs write (OUTPUT), over one
// connection; RoomWatch waits until there is room for more. A report stays here until jobqd has
// answered for it: after a cut it is sent again.
// Must stay true: what was streamed of a job is complete before its DONE; only the holder of the
// present token is reported.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "daemon/runner/broker_client.h"
#include "daemon/runner/hub.h"
#include "daemon/runner/output_rest.h"
#include "daemon/runner/run_table.h"

namespace jobq {

class Reporter {
  public:
    Reporter(Hub& hub, RunTable& runs);
    ~Reporter();

    // A finished run: takes what is left of its output along, when any was sent before.
    void add(JobRun& run, RunReport report);
    // A job that never ran.
    void add(const TakenJob& job, RunReport report);
    // Output of that run came: it is sent soon, at once when there is much of it.
    void output_soon(const JobRun& run);
    // jobqd said the job is not ours any more: a report of it is not sent again.
    void forget(const std::string& jid, const std::string& token);

    bool empty() const { return pending_.empty(); }

    // Jobs that are to go back to their queues: jobqd has not said yet that they are there.
    bool gives_back() const { return gives_back_; }

    // Of the jobs whose reports wait, for people: some jids.
    std::string names() const;

    void list_running(std::vector<RunningJob>& into) const;
    task<void> loop();
    // What jobqd has room for of the runs. Of those in `sent` all pieces that were taken are there.
    void obey(const std::vector<OutputRoom>& rooms, const std::vector<OutputChunk>& sent);

    void close();

  private:
    struct Pending {
        DoneReport report;
        OutputRest output{};
        int sent = 0;  // how often, without an answer that says it was refused
        bool forgotten = false;
    };

    void push(Pending pending);
    void rewind();

    bool has_work() const { return output_due_ || !pending_.empty(); }

    bool collect(std::vector<OutputChunk>& chunks);
    void send_now();
    std::function<void()> send_later();
    void obey_for_ended(const std::vector<OutputRoom>& rooms);
    task<bool> send_output();
    task<bool> send_done();
    bool settle(const std::vector<DoneAnswer>& answers, size_t count);
    void look_for_returns();
    void refuse(const Error& error, size_t count);
    void say_lost(const Pending& pending, bool may_be_taken) const;

    Hub& hub_;
    RunTable& runs_;
    BrokerClient client_;
    RetryDelay delay_;
    std::deque<Pending> pending_;
    TimerId timer_ = 0;
    bool output_due_ = false, gives_back_ = false;
};

}  // namespace jobq
