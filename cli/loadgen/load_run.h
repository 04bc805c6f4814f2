// LoadRun: sends the jobs of a LoadPlan over several connections with one thread and one poll(2),
// and takes down when each request was answered. Memory is one request a connection, and a bit a
// job.
#pragma once

#include <poll.h>

#include <deque>
#include <vector>

#include "cli/loadgen/load_events.h"
#include "cli/loadgen/load_link.h"
#include "cli/loadgen/load_result.h"

namespace jobq::cli {

class LoadRun {
  public:
    // All must outlive it; `events` may be null.
    LoadRun(const LoadPlan& plan, const LoadText& text, LoadBook& book, LoadResult& result,
            LoadEvents* events, LoadProgress& progress);

    // Opens the connections.
    Answer<> connect(const Target& target);
    // Until every job is acknowledged, or ^C. What was refused for now is sent again.
    Answer<> push();

  private:
    // Jobs `first` to `first + count`, or those of `only`.
    struct Request {
        int64_t first = 0, count = 0;
        int64_t asked_us = 0;
        std::vector<int64_t> only;
    };

    struct Client {
        LoadLink link;
        std::deque<Request> in_flight;
    };

    bool fresh_left(int64_t now_us) const;
    bool over(int64_t now_us) const;
    bool take_request(int64_t now_us, Request& request);
    Answer<> send_due();
    Answer<> wait_and_read();
    int64_t wake_at_us(int64_t now_us) const;
    Answer<> read(Client& client);
    Answer<> settle(Request request, const LoadReply& reply, int64_t now_us);
    Answer<> refused(Request request, const std::string& why, int64_t now_us);
    void acked(const Request& request, int64_t now_us);
    tl::unexpected<Failure> lost() const;

    const LoadPlan& plan_;
    const LoadText& text_;
    LoadBook& book_;
    LoadResult& result_;
    LoadEvents* events_;
    LoadProgress& progress_;
    LoadSchedule schedule_;
    std::vector<Client> clients_;
    std::vector<pollfd> fds_;
    std::deque<Request> again_;
    int64_t again_at_us_ = 0;
    int64_t start_us_ = 0, end_us_ = 0, last_ack_us_ = 0;
    int64_t in_flight_ = 0;  // requests
    size_t turn_ = 0;        // the client that is next
};

}  // namespace jobq::cli
