// RunningTable: the jobs that run under leases this daemon knows of, by jid and by owner. A cache
// of the store's truth: no call goes out from here.
//
// Must stay true: at most one lease of a job is in it, the last that was added; a lease is among
// those of its owner exactly while it is in the table, in the order in which they were added; an
// owner without one takes no memory. Jid, owner, token and serial of a lease never change.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/job/job.h"
#include "core/store/lease.h"
#include "daemon/broker/live_output.h"

namespace jobq {

// A client's connection, of whom nothing else is known.
struct Connection {
    bool known = false;
    std::weak_ptr<const void> open{};  // until it closes
};

class Running {
  public:
    const std::string& owner() const { return owner_; }

    const std::string& token() const { return token_; }

    // Of the lease, in this process.
    uint64_t serial() const { return serial_; }

    Job job;               // its head
    uint32_t content = 0;  // content_of() the whole
    JobRecord record;
    std::string worker;     // who runs it, for people: a wid or a pool's name
    Connection connection;  // of who took it without a wid
    int64_t started_wall_ms = 0;
    int64_t lease_ends_ms = 0;  // monotonic; 0: the owner's own lease counts
    bool cancel_asked = false;
    int missed_beats = 0;                // heartbeats of its owner in a row that did not name it
    bool flushed = false;                // a FLUSH dropped it while it ran
    std::shared_ptr<LiveOutput> output;  // null: nothing came of it, and nobody asked
    int64_t told_room = -1;              // for more of it, as its runner was last told

    // Made when it is first asked for.
    const std::shared_ptr<LiveOutput>& live_output(Reactor& reactor);

  private:
    friend class RunningTable;

    std::string owner_, token_;
    uint64_t serial_ = 0;
    std::list<Running*>::iterator place_;  // among those of its owner
};

class RunningTable {
  public:
    using Jobs = std::unordered_map<std::string, Running>;
    // One that was taken out.
    using Node = Jobs::node_type;

    // In the place of an earlier lease of that job.
    Running& add(const Leased& lease, std::string owner, std::string worker);
    // Null: it does not run.
    Running* find(const std::string& jid);
    const Running* find(const std::string& jid) const;

    bool contains(const std::string& jid) const { return jobs_.contains(jid); }

    void remove(const std::string& jid);
    // Unless it runs under another lease by now.
    void remove(const std::string& jid, uint64_t serial);
    void remove(const std::string& jid, const std::string& token);
    // Empty: it does not run under that lease.
    Node take(const std::string& jid, uint64_t serial);

    // What the owner holds, first taken first. Not to be kept over a wait.
    const std::list<Running*>& of_owner(const std::string& owner) const;
    std::vector<std::string> owners() const;

    const Jobs& all() const { return jobs_; }

    Jobs& all() { return jobs_; }

    size_t size() const { return jobs_.size(); }

    bool empty() const { return jobs_.empty(); }

  private:
    void leave_owner(Running& running);

    Jobs jobs_;
    std::unordered_map<std::string, std::list<Running*>> owners_;
    uint64_t serials_ = 0;
};

}  // namespace jobq
