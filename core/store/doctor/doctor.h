// Doctor: the Checkup of RedisStore. Every structure of keys.h is paged through by the check_*
// scripts. A script judges alone what one look can tell. What it can't, whether a job that is in no
// set waits in a list, is told by fingerprints: first all lists are paged through and their jids'
// hashes kept (8 bytes a job; for more than kFingerprints jobs in several passes), then all bodies.
// A body whose fingerprint is missing is a suspect, no more: check_job looks at all its places in
// one step before it is a finding. So jobs may flow meanwhile.
//
// Must stay true: nothing is reported on the word of two looks at different times.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/store/checkup.h"
#include "core/store/link/script_caller.h"

namespace jobq {

// A set of 64-bit hashes with open addressing: 16 bytes an entry at worst.
class Fingerprints {
  public:
    // Of a jid or another text, never 0.
    static uint64_t hash_of(std::string_view text);
    // False when it was there.
    bool add(uint64_t hash);
    bool has(uint64_t hash) const;
    void clear();

  private:
    std::vector<uint64_t> slots_;
    size_t used_ = 0;
};

// So many jobs or names a call of a check_* script, at most.
constexpr int64_t kCheckedAtOnce = 250;

class Doctor final : public Checkup {
  public:
    // `fingerprints`: of so many jobs at a time.
    Doctor(ScriptCaller& caller, bool fix, size_t fingerprints = kFingerprints)
        : caller_(caller), fix_(fix), fingerprints_(fingerprints) {}

    static constexpr size_t kFingerprints = 2'000'000;  // 32 MiB at most

    task<Result<CheckPage>> next() override;

  private:
    // A structure to be paged through.
    struct Step {
        task<Result<>> (Doctor::*page)();
        std::string name;  // header, set, owner, hash or bid
    };

    // Where a suspect was seen beside the places its header names: "list" or a set, header or
    // member.
    using Seen = std::vector<std::pair<std::string, std::string>>;

    task<Result<>> keys_page();
    task<Result<>> list_page();
    task<Result<>> set_page();
    task<Result<>> run_page();
    task<Result<>> before_jobs();
    task<Result<>> jobs_page();
    task<Result<>> after_jobs();
    task<Result<>> fields_page();
    task<Result<>> ends_page();
    task<Result<>> batch_step();
    task<Result<>> next_pass();
    task<Result<>> before_failed();
    task<Result<>> failed_page();
    task<Result<>> after_failed();

    // What check_job finds of it, once.
    task<Result<>> judge(std::string jid, Seen seen, std::string envelope, std::string record);
    task<Result<>> look_closer(std::string jid, Seen seen);
    task<Result<>> note_batches(std::vector<std::string> names);
    task<Result<>> look_at_body(std::string jid, std::string envelope, std::string record,
                                std::string places);
    // Calls a check_* script, counts its rows and keeps its findings, which are item `findings`.
    task<Result<Reply>> ask(const Script& script, Command args, size_t findings);
    void plan_passes();
    void add_findings(const Reply& rows);
    void count_ties(const Reply& rows);
    void end_step();
    // The next page's size, so that it is of kPageBytes at most.
    void adapt(int64_t bytes);

    ScriptCaller& caller_;
    const bool fix_;
    const size_t fingerprints_;
    CheckPage page_;
    bool planned_ = false, wrong_types_ = false;
    std::deque<Step> steps_;
    std::string cursor_ = "0";
    int64_t count_ = kFirstCount;
    int64_t looked_at_ = 0, expected_ = 0;
    std::vector<std::string> lists_, owners_, slots_;  // as the keys named them
    int pass_ = 0, passes_ = 1;
    Fingerprints listed_;
    std::unordered_set<std::string> last_page_;  // of a list that grew at its new end: seen again
    std::unordered_set<std::string> reported_;   // jids; kReported at most
    std::map<std::string, std::unordered_set<uint64_t>> tombstones_;  // queue -> hashes of jids
    std::string counts_before_;
    std::map<std::string, std::string> tombs_before_;

    struct BatchTies {
        std::string before;
        int64_t pending = 0, live = 0;
    };

    std::unordered_map<std::string, BatchTies> batches_;
    Fingerprints tied_;
    std::string changes_before_;
    std::map<std::string, int64_t> groups_;  // "<set> <group>" -> how many were counted
    Fingerprints counted_;

    static constexpr int64_t kFirstCount = 50;
};

}  // namespace jobq
