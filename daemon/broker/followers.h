// Followers: who follows the output of which job, and how much of it a runner may send: so much
// that none of them loses a byte while it keeps up, and no more than memory has room for.
//
// Must stay true: a job that nobody follows, and nobody is about to, is never held up; one that is
// followed is held up by no follower that has taken nothing for limits::kOutputHoldMs.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/async/wait.h"
#include "daemon/broker/live_output.h"

namespace jobq {

class Follower;

class Followers {
  public:
    explicit Followers(Reactor& reactor) : changed(reactor), reactor_(reactor) {}

    // Somebody will follow that job within limits::kOutputExpectMs, and wants all of it.
    void expect(const std::string& jid);
    // How much of the job may come now; OutputRoom::kNobody when nobody follows it, and it is not
    // `kept` in a file, which takes all at once. `live` null: nothing came yet.
    int64_t room(const std::string& jid, const LiveOutput* live, bool kept = false);
    // What of its output is to be kept, beside the head.
    int64_t keeps(const std::string& jid) const;

    // Jobs that somebody follows, or said he would.
    size_t size() const { return jobs_.size(); }

    // There may be room where there was none.
    Signal changed;

  private:
    friend class Follower;

    struct Job {
        std::list<Follower*> followers;
        int64_t expected_until_ms = 0;
    };

    void forget_old();

    Reactor& reactor_;
    std::unordered_map<std::string, Job> jobs_;
    int64_t look_ms_ = 0;  // when expectations are next looked through
};

// One of them, while it lives. Ends before its Followers do.
class Follower {
  public:
    Follower(Followers& followers, const std::string& jid);
    ~Follower();
    Follower(const Follower&) = delete;

    // The next piece of what it reads; from another LiveOutput than before: from its start.
    std::optional<OutputPiece> next(const std::shared_ptr<const LiveOutput>& live);

  private:
    friend class Followers;

    // -1: it takes nothing, and does not count.
    int64_t unread(const LiveOutput& live, int64_t now_ms);

    Followers& followers_;
    std::string jid_;
    Followers::Job* job_;
    std::list<Follower*>::iterator here_;
    std::shared_ptr<const LiveOutput> live_;
    int64_t place_ = 0;
    int64_t behind_since_ms_ = 0;  // since it last took something, while there is more; 0: not
};

}  // namespace jobq
