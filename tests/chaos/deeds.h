// Deeds: every way in which jobqd is asked to change something, each done once through an Asker and
// told as often as that takes. Each notes what must have become of its jobs, by the witness's count
// of their runs and by their states; check() compares once all has come to rest.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/chaos/asker.h"
#include "tests/support/redis_server.h"

namespace jobq::chaos {

class Deeds {
  public:
    Deeds(Rig& rig, Asker& asker);

    // All of them, each to be called as often as is wanted.
    const std::vector<std::function<void()>>& all() const { return all_; }

    // With jobqd still there, and nothing left to do.
    void check(Rig& rig) const;

  private:
    // What a job must have become, and how often it must have run.
    struct Expected {
        std::string jid;
        std::string state;  // "unknown": it is not there; "": that may be
        int least = 1, most = 1;
        std::string deed;
    };

    // A job that a worker of its own holds, with its lease token.
    struct Taken {
        std::string wid, queue, jid, token;
    };

    void add(const std::string& name, std::function<void()> body);
    void add_doors(const std::string& name, void (Deeds::*body)(Door));

    std::string fresh() { return rig_.history().fresh("cut-"); }

    void expect(const std::string& jid, const std::string& state, int least, int most);
    void must(bool holds, const Told& told);
    // Past the proxies.
    std::string direct(const std::string& line);
    nlohmann::json direct_json(const std::string& line);
    bool comes_to(const std::string& jid, const std::string& state);
    // One that waits for an hour; one that has died.
    std::string waiting(const std::string& more = "");
    std::string died(const std::string& more = "");
    Told act(Door door, const std::string& verb, const std::string& jid);
    Told queue(Door door, const std::string& verb, const std::string& name);

    // A run by hand, in the witness log.
    void witness(const std::string& jid, const std::string& token, const std::string& holder,
                 bool ok);
    Taken take(Taken taken);
    Told report(const Taken& taken, const std::string& outcome);

    void enqueue(Door door);
    void enqueue_with_key(Door door);
    void enqueue_many();
    void enqueue_many_by_http();
    void run();
    void push();
    void push_many();
    void batch();
    void import();
    void import_faktory();
    void cancel(Door door);
    void cancel_running(Door door);
    void retry(Door door);
    void retry_dead(Door door);
    void retry_dead_filtered(Door door);
    void operate(Door door);
    void stop_operation();
    void remove(Door door);
    void release(Door door);
    void pause(Door door);
    void clear(Door door);
    void mutate_kill();
    void mutate_discard();
    void mutate_requeue();
    void track();
    void quiet(Door door);
    void done();
    void done_failed();
    void faktory_ends();
    void faktory_queue();

    Rig& rig_;
    Asker& asker_;
    std::unique_ptr<test::Wire> direct_;
    std::unique_ptr<test::RedisServer> faktory_;
    std::vector<std::function<void()>> all_;
    std::vector<Expected> expected_;
    std::string deed_;
};

}  // namespace jobq::chaos
