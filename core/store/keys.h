// Every Redis key of jobq, in one place.
//
// All keys of a store are `jobq:{<namespace>}:<what>`: one hash tag, so every script's keys live in
// one slot of a Redis Cluster, and a step that touches two queues (a callback, a requeue) is still
// atomic. Tenants and shards are further namespaces. See jobq-decisions(7).
//
//   j            hash  jid -> envelope, of every live job (codec.h)
//   m            hash  jid -> JobRecord, of those whose kind says that they have one
//   queues       hash  queue -> flags: "P" when paused, a digit for each priority in use but 5, a
//                      letter, "A" for 1 to "I" for 9, where passed:<queue>:<p> is
//   q:<queue>    list  jids, pushed left, popped right; priority 5
//   q:<queue>:<p>      the same for priority p
//   passed:<queue>:<p> zset  jids that a fetch of other types met in that list and left: they stand
//                      before all that is in it, the lowest score first
//   lane:<queue>:<p>:<type>  zset  of these the jids of one type, with the same scores
//   tomb         hash  queue -> number of tombstones in its lists
//   scheduled, retrying, dead   zset  jid by wall ms (due, due, died)
//   run:<owner>  hash  jid -> "<token> <started ms>"
//   own          hash  owner -> beat counter
//   cancel       hash  jid -> wall ms, of running jobs that are to stop
//   done:<t>     hash  jid -> FinalRecord; the whole hash goes at t (wall seconds)
//   log:<t>      hash  "<jid>/<attempt>" -> text; likewise
//   names        zset  queue, all at score 0: in the order of their bytes
//   failed       hash  jid -> "<change> <set> <group> <header>", of retrying and dead jobs; of
//                      snoozed ones with an empty group
//   groups:retrying, groups:dead  hash  group -> how many
//   causes       hash  group -> "<since ms> <words>", see core/job/cause.h
//   latest       hash  group -> "<wall ms> <jid>"
//   tie          hash  jid -> words, of live jobs that are bound to others (core/job/ties.h):
//                      "us<digest>" holds that lock until it starts, "ua<digest>" until it
//                      succeeds; "b<bid>" of a batch and not run yet, "f<bid>" not well so far;
//                      "c<bid>", "k<bid>" the batch's complete and success callback; "q<queue>"
//                      has a slot of that queue; "t<ms>" tracked, kept so long after its end
//   lock         hash  digest -> "<expires wall ms> <jid>"
//   slot:<queue> hash  jid -> worker, of running jobs of a queue with a limit
//   batch:<bid>  hash  counts of its own jobs: total, pending (not run yet), failed (run, not well
//                      so far), ok; kids, children whose success is not over; live, jobs and
//                      callbacks with a tie to it; open until committed; committed ever; lost, 1
//                      when a child can't succeed any more; cst and sst, its callbacks: "" not
//                      due, 1 enqueued, 2 ended well, - over without one; created, parent,
//                      description, patience, keep; complete_* and success_* jid, header, job, tie,
//                      due, sum
//   batches      zset  bid by the wall ms at which it goes: open, or nothing of it lives
//   track:<jid>  hash  progress of a tracked job: percent, desc, updated, until (of its lease),
//                      state it ended in; expires some time after the job's end
//   imp:<t>      hash  jid -> "", of those imported from another store; likewise
//   buckets      zset  "done:<t>", "log:<t>" and "imp:<t>" by t
//   idem         hash  key -> "<expires ms> <jid>";   idemx  zset  key by expiry
//   stat         hash  counters; changes, raised when one fails or a failed one moves; tombs, of
//                      all queues; adopted and counted, 1 once names and failed hold what was
//                      there before
//   schema       string
#pragma once

#include <string>
#include <string_view>

namespace jobq {

// 1: envelopes without a checksum. 2: with one; those of 1 are read as they are, so a store of
// schema 1 becomes one of 2 by its number alone, when the first jobqd that knows 2 opens it. A
// jobqd that knows 1 alone then refuses to start: it would take the new envelopes for damaged ones.
// 3: passed and lane, and the type as an envelope's first field, which it always was, is a promise
// to scripts. In 2 jobs could be parked, in lists q:<queue>:<letter>: they go back to their lists.
inline constexpr int kStoreSchema = 3;

// On the channel of hints, besides names of queues and "" for the schedule: this, what befell the
// jobs, and their jids with spaces between.
inline constexpr char kJobHint = '!';
inline constexpr std::string_view kCancelHint = "cancel", kEndHint = "end";

class Keys {
  public:
    explicit Keys(std::string_view name_space = "main");

    // The common prefix "jobq:{ns}:"; scripts that build names get it as their first key.
    const std::string& prefix() const { return prefix_; }

    std::string of(std::string_view what) const;

    std::string hint_channel() const { return of("hint"); }

  private:
    std::string prefix_;
};

// Where a job waits, in the words that scripts and records use: "<priority><queue>", and with a
// space and its jid as a member of a set.
std::string header_of(const std::string& queue, int priority);
std::string member_of(const std::string& queue, int priority, const std::string& jid);

// The bucket for something that is kept until at least `expires_ms`: its name's second. Short
// retentions get fine buckets, long ones coarse, so there are never more than some hundred.
int64_t bucket_second(int64_t now_ms, int64_t retention_ms);

}  // namespace jobq
