// RedisStore against the model: seeded random operations on both, over so few jids, queues and
// owners that every clash happens. Each answer and, after each step, the whole state must be equal.
// JOBQ_SEED=n repeats one seed; JOBQ_SEEDS and JOBQ_STEPS make it longer.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <sstream>

#include "core/base/text.h"
#include "tests/store/conformance.h"
#include "tests/support/checkup.h"

namespace jobq::test {
namespace {

int64_t env_number(const char* key, int64_t otherwise) {
    const char* text = std::getenv(key);
    return text ? parse_int(text).value_or(otherwise) : otherwise;
}

// A lease as both stores gave it; kept after its end, so that stale tokens are tried too.
struct Pair {
    std::string owner;
    Leased model, real;
};

constexpr uint64_t kBatches = 12;

class Duel {
  public:
    Duel(OnRedis& real, uint64_t seed)
        : reactor_(real.reactor), real_(real.store), model_(real.reactor), rng_(seed) {}

    void step() {
        said_.str("");
        random_operation();
        INFO("operation: " << said_.str());
        REQUIRE(model_said_ == real_said_);
        bool logs = ++steps_ % 10 == 0;
        std::string model = dump(model_, reactor_, 50, logs),
                    real = dump(real_, reactor_, 50, logs);
        REQUIRE(model == real);
        REQUIRE(failed_text(model_, reactor_) == failed_text(real_, reactor_));
        same_ties();
        if (steps_ % 25 == 0) healthy();
        reactor_.advance(1);
    }

    // What a doctor says of the real store: nothing.
    void healthy() {
        Texts findings;
        for (const auto& finding : all_findings(real_, reactor_, false)) {
            findings.push_back(finding.kind + " " + finding.what + " " + finding.where);
        }
        REQUIRE(findings == Texts());
    }

  private:
    void random_operation();
    void enqueue();
    void fetch();
    void finish();
    void bring_in();
    void take_over();
    void promote();
    void purge();
    void change();
    void whole_queue();
    void look();
    void batches();
    void progress();
    void same_ties();
    Finish end_of(const Pair& pair, bool model, Move move, int64_t at_ms, int64_t retention_ms,
                  const std::string& log);

    bool chance(int percent) { return int(rng_.below(100)) < percent; }

    std::string pick(std::initializer_list<const char*> from) {
        return *(from.begin() + rng_.below(from.size()));
    }

    std::string jid() { return "job" + std::to_string(rng_.below(12)); }

    std::string owner() { return pick({"pool1", "pool2", "runner"}); }

    std::string queue() { return pick({"mail", "mail", "sms", "low"}); }

    std::string bid() { return "b-" + std::to_string(rng_.below(kBatches)); }

    std::vector<std::string> jids() {
        std::vector<std::string> list;
        for (uint64_t n = 1 + rng_.below(3); n > 0; --n)
            list.push_back(jid());
        return list;
    }

    // Runs the operation on both and keeps what they said.
    template <class Make, class Text>
    void both(Make make, Text text) {
        auto model = run_task(reactor_, make(static_cast<Store&>(model_)));
        auto real = run_task(reactor_, make(static_cast<Store&>(real_)));
        REQUIRE(outcome(model) == outcome(real));
        if (!model) return;
        model_said_ = text(*model);
        real_said_ = text(*real);
    }

    template <class Make>
    void both_done(Make make) {
        model_said_ = outcome(run_task(reactor_, make(static_cast<Store&>(model_))));
        real_said_ = outcome(run_task(reactor_, make(static_cast<Store&>(real_))));
    }

    // Leases of both, compared but for their tokens, and remembered.
    void leased(const std::string& owner, std::vector<Leased> model, std::vector<Leased> real);

    TestReactor& reactor_;
    RedisStore& real_;
    MemoryStore model_;
    Rng rng_;
    std::vector<Pair> leases_;
    int steps_ = 0, callbacks_ = 0;
    std::set<std::string> made_;  // batches since the last flush
    std::ostringstream said_;
    std::string model_said_, real_said_;
};

std::string joined(const Texts& texts) {
    std::string all;
    for (const auto& text : texts)
        all += text + " ";
    return all;
}

void Duel::random_operation() {
    uint64_t dice = rng_.below(100);
    model_said_.clear();
    real_said_.clear();
    if (dice < 4) return bring_in();
    if (dice < 20) return enqueue();
    if (dice < 37) return fetch();
    if (dice < 56) return finish();
    if (dice < 61) return batches();
    if (dice < 62) return progress();
    if (dice < 66) return take_over();
    if (dice < 74) return promote();
    if (dice < 88) return change();
    if (dice < 94) return whole_queue();
    if (dice < 97) return look();
    if (dice < 99) {
        said_ << "time passes";
        return reactor_.advance(int64_t(rng_.below(4000)));
    }
    purge();
}

void Duel::enqueue() {
    std::vector<Job> jobs;
    for (uint64_t n = 1 + rng_.below(3); n > 0; --n) {
        Job job = a_job(pick({"email", "report"}), jid());
        job.queue = queue();
        job.created_ms = reactor_.wall_ms();
        if (chance(20)) job.priority = int(1 + rng_.below(9));
        if (chance(25)) job.run_at_ms = reactor_.wall_ms() - 500 + int64_t(rng_.below(3000));
        if (chance(20)) job.idempotency_key = pick({"k1", "k2", "k3"});
        if (chance(20)) job.custom = R"({"a":1})";
        if (chance(50)) {
            Ties ties;
            if (chance(60)) ties.lock = pick({"l1", "l1", "l2"});
            if (!ties.lock.empty()) ties.lock_for_ms = int64_t(rng_.below(60'000));
            ties.until_start = chance(30);
            if (chance(60)) ties.bid = bid();
            ties.tracked = chance(30);
            if (!ties.none()) job.ties = std::make_shared<const Ties>(ties);
            said_ << "(" << ties.words() << ") ";
        }
        said_ << "enqueue " << job.jid << " in " << job.queue << " ^" << job.priority << " at "
              << job.run_at_ms << " key " << job.idempotency_key << "; ";
        jobs.push_back(job);
    }
    both([&](Store& store) { return store.enqueue(jobs); },
         [](const auto& results) {
             Texts texts;
             for (const auto& result : results)
                 texts.push_back(text_of(result));
             return joined(texts);
         });
}

void Duel::bring_in() {
    std::vector<Imported> jobs;
    for (uint64_t n = 1 + rng_.below(3); n > 0; --n) {
        Imported one;
        one.job = a_job(pick({"email", "report"}), jid());
        one.job.queue = queue();
        one.job.created_ms = reactor_.wall_ms();
        if (chance(20)) one.job.priority = int(1 + rng_.below(9));
        one.state =
            std::array{State::ready, State::scheduled, State::retrying, State::dead}[rng_.below(4)];
        int64_t away = int64_t(rng_.below(3000));
        if (one.state == State::dead) away = -away;
        if (one.state != State::ready) one.at_ms = reactor_.wall_ms() + away;
        if (one.state != State::ready || chance(30)) one.record.attempts = int(rng_.below(4));
        said_ << "bring in " << one.job.jid << " in " << one.job.queue << " ^" << one.job.priority
              << " " << name(one.state) << " at " << one.at_ms << "; ";
        jobs.push_back(one);
    }
    both([&](Store& store) { return store.bring_in(jobs); },
         [](const auto& results) {
             Texts texts;
             for (const auto& result : results)
                 texts.push_back(text_of(result));
             return joined(texts);
         });
}

void Duel::leased(const std::string& owner, std::vector<Leased> model, std::vector<Leased> real) {
    REQUIRE(jids_of(model) == jids_of(real));
    for (size_t i = 0; i < model.size(); ++i) {
        REQUIRE(model[i].job == real[i].job);
        REQUIRE(model[i].record == real[i].record);
        REQUIRE(model[i].started_ms == real[i].started_ms);
        REQUIRE(model[i].cancelled == real[i].cancelled);
        REQUIRE(!real[i].corrupt);
        leases_.push_back({owner, model[i], real[i]});
    }
    if (leases_.size() > 40) leases_.erase(leases_.begin(), leases_.end() - 40);
}

void Duel::fetch() {
    FetchRequest request;
    request.owner = owner();
    request.queues = {queue()};
    request.count = int(1 + rng_.below(4));
    if (chance(50))
        request.types = types_of({pick({"email", "report"}), pick({"other", "strange"})});
    std::string second = chance(30) ? "of-" + bid() : queue();
    if (chance(30)) {
        request.worker = pick({"w1", "w2"});
        request.throttles["mail"] = {int(rng_.below(4)), int(rng_.below(3))};
        if (request.throttles["mail"] == Throttle{}) request.throttles["mail"].in_all = 2;
    }
    if (second != request.queues[0]) request.queues.push_back(second);
    said_ << "fetch " << request.count << " of " << joined(request.queues)
          << (request.types ? " of " + joined(request.types->names()) : "") << " for "
          << request.owner;
    INFO(said_.str());
    auto model = run_task(reactor_, model_.fetch(request)).value();
    auto real = run_task(reactor_, real_.fetch(request)).value();
    leased(request.owner, std::move(model), std::move(real));
}

Finish Duel::end_of(const Pair& pair, bool model, Move move, int64_t at_ms, int64_t retention_ms,
                    const std::string& log) {
    Finish finish = an_end(pair.owner, model ? pair.model : pair.real, move, at_ms);
    finish.retention_ms = retention_ms;
    finish.log = log;
    finish.final.finished_ms = reactor_.wall_ms();
    if (move == Move::dead) finish.transition.record.reason = "exhausted";
    if (move == Move::succeed) finish.final.result = "{}";
    return finish;
}

void Duel::finish() {
    if (leases_.empty()) return;
    std::vector<Finish> model, real;
    Texts used;
    for (uint64_t n = 1 + rng_.below(3); n > 0; --n) {
        // Mostly the newest leases, which are current; an old one now and then.
        size_t back = chance(80) ? rng_.below(std::min<size_t>(leases_.size(), 5))
                                 : rng_.below(leases_.size());
        const Pair& pair = leases_[leases_.size() - 1 - back];
        const std::string& jid = pair.model.job.jid;
        if (std::find(used.begin(), used.end(), jid) != used.end()) continue;
        used.push_back(jid);
        Move move = Move(rng_.below(7));
        bool expired = move == Move::drop && chance(50);
        int64_t at_ms = reactor_.wall_ms() + int64_t(rng_.below(3000));
        int64_t retention_ms = chance(50) ? limits::kRetentionMs : 3'600'000;
        // Logs with one retention alone: a bucket that goes later hides what an earlier one keeps.
        bool logs = move != Move::snooze && retention_ms == limits::kRetentionMs;
        std::string log = logs ? "log" + std::to_string(rng_.below(100)) : "";
        said_ << "finish " << jid << " of " << pair.owner << " by move " << int(move)
              << (expired ? " expired" : "") << "; ";
        model.push_back(end_of(pair, true, move, at_ms, retention_ms, log));
        real.push_back(end_of(pair, false, move, at_ms, retention_ms, log));
        if (expired) model.back().final.state = real.back().final.state = State::expired;
    }
    model_said_ = joined(outcomes(run_task(reactor_, model_.finish(model)).value()));
    real_said_ = joined(outcomes(run_task(reactor_, real_.finish(real)).value()));
}

void Duel::take_over() {
    std::string from = owner(), to = owner();
    std::vector<std::string> some;
    if (chance(40)) some = jids();
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
    // By a token too, which may be stale by now.
    std::vector<LeaseName> of_model, of_real;
    bool named = steps_ % 2 == 0;
    for (const auto& jid : some) {
        LeaseName& one = of_model.emplace_back();
        LeaseName& other = of_real.emplace_back();
        one.jid = other.jid = jid;
        for (const auto& pair : leases_) {
            if (!named || pair.model.job.jid != jid) continue;
            one.token = pair.model.token;
            other.token = pair.real.token;
        }
    }
    said_ << "take over from " << from << " to " << to << (named ? " by token: " : ": ")
          << joined(some);
    INFO(said_.str());
    auto model = run_task(reactor_, model_.take_over(from, to, of_model, 100)).value();
    auto real = run_task(reactor_, real_.take_over(from, to, of_real, 100)).value();
    auto by_jid = [](const Leased& a, const Leased& b) { return a.job.jid < b.job.jid; };
    std::sort(model.begin(), model.end(), by_jid);
    std::sort(real.begin(), real.end(), by_jid);
    leased(to, std::move(model), std::move(real));
}

void Duel::promote() {
    int limit = int(1 + rng_.below(8));
    reactor_.advance(int64_t(rng_.below(2000)));
    int64_t now = reactor_.wall_ms();
    said_ << "promote at most " << limit;
    both([&](Store& store) { return store.promote(now, limit); },
         [](const Promoted& promoted) {
             std::string text = std::to_string(promoted.next_due_ms) + " ";
             for (const auto& [queue, count] : promoted.queues)
                 text += queue + "=" + std::to_string(count) + " ";
             return text + (promoted.more ? "more" : "");
         });
}

void Duel::batches() {
    std::string name = bid();
    uint64_t which = rng_.below(10);
    if (which < 4) {
        BatchSpec spec;
        spec.bid = name;
        // A new batch must not have an old one's bid: jobs of that one would count for it.
        if (!made_.insert(name).second) return;
        if (chance(50)) spec.parent = bid();
        // A queue for each batch: the order in which two batches fire in one call is left open.
        std::string jid = std::to_string(++callbacks_);
        if (chance(50)) spec.complete = a_job_in("of-" + name, "cb-c" + jid);
        if (chance(50)) spec.success = a_job_in("of-" + name, "cb-s" + jid);
        said_ << "new batch " << name << " of '" << spec.parent << "'";
        return both_done([&](Store& store) { return store.make_batch(spec); });
    }
    bool open = which < 6;
    said_ << (open ? "open " : "commit ") << name;
    both_done([&](Store& store) { return store.open_batch(name, open); });
}

void Duel::progress() {
    ProgressUpdate update;
    update.jid = jid();
    if (chance(50)) update.percent = int64_t(rng_.below(101));
    if (chance(50)) update.description = "step";
    if (chance(30)) update.lease_until_ms = reactor_.wall_ms() + 1'000;
    said_ << "track " << update.jid;
    both([&](Store& store) { return store.track(update); },
         [](bool noted) { return std::string(noted ? "noted" : "not tracked"); });
}

// What the dump does not show: batches, and what is known of progress.
void Duel::same_ties() {
    for (uint64_t i = 0; i < kBatches; ++i) {
        std::string name = "b-" + std::to_string(i);
        INFO("batch " << name);
        auto model = run_task(reactor_, model_.batch(name));
        auto real = run_task(reactor_, real_.batch(name));
        REQUIRE(outcome(model) == outcome(real));
        if (!model) continue;
        INFO("model: pending " << model->pending << " failed " << model->failed << " cst "
                               << model->complete_state << " sst " << model->success_state
                               << "; real: pending " << real->pending << " failed " << real->failed
                               << " cst " << real->complete_state << " sst "
                               << real->success_state);
        REQUIRE(*model == *real);
    }
    std::vector<std::string> all;
    for (int i = 0; i < 12; ++i)
        all.push_back("job" + std::to_string(i));
    auto model = run_task(reactor_, model_.progress(all)).value();
    auto real = run_task(reactor_, real_.progress(all)).value();
    REQUIRE(model == real);
}

// Far enough that every record is over, so that the model need not know when buckets end.
void Duel::purge() {
    bool far = chance(50);
    said_ << (far ? "days pass, purge" : "purge");
    if (far) reactor_.advance(3 * 24 * 3'600'000LL);
    int64_t now = reactor_.wall_ms();
    both_done([&](Store& store) { return store.purge(now); });
}

void Duel::change() {
    auto some = jids();
    auto text = [](const auto& results) { return joined(outcomes(results)); };
    uint64_t which = rng_.below(5);
    said_ << "change " << which << " (cancel requeue revive remove kill): " << joined(some);
    auto cancelled = [](const std::vector<Result<Cancelled>>& results) {
        Texts texts;
        for (const auto& result : results)
            texts.push_back(result ? std::string(name(result->was)) + result->owner
                                   : outcome(result));
        return joined(texts);
    };
    if (which == 0) return both([&](Store& store) { return store.cancel(some); }, cancelled);
    if (which == 1) return both([&](Store& store) { return store.requeue(some, false); }, text);
    if (which == 2) return both([&](Store& store) { return store.requeue(some, true); }, text);
    if (which == 3) return both([&](Store& store) { return store.remove(some); }, text);
    both([&](Store& store) { return store.kill(some); }, text);
}

void Duel::whole_queue() {
    std::vector<std::string> names{queue()};
    bool on = chance(50);
    uint64_t which = rng_.below(20);
    if (which < 9) {
        said_ << (on ? "pause " : "resume ") << names[0];
        return both_done([&](Store& store) { return store.pause(names, on); });
    }
    if (which < 14) return fetch();
    if (which < 19) {
        said_ << (on ? "forget " : "clear ") << names[0];
        return both([&](Store& store) { return store.clear(names[0], on); },
                    [](int64_t removed) { return std::to_string(removed); });
    }
    said_ << "flush";
    made_.clear();
    both_done([](Store& store) { return store.flush(); });
}

void Duel::look() {
    std::vector<std::string> owners{owner()};
    said_ << "beat " << owners[0] << ", latency of queues, views";
    both_done([&](Store& store) { return store.beat(owners); });
    auto some = jids();
    both([&](Store& store) { return store.get(some); },
         [](const std::vector<Result<JobView>>& views) {
             std::string text;
             for (const auto& view : views) {
                 text += outcome(view);
                 if (view) text += view->owner + std::to_string(view->started_ms);
             }
             return text;
         });
    both([](Store& store) { return store.queues(true); },
         [](const std::vector<QueueInfo>& infos) {
             std::string text;
             for (const auto& info : infos)
                 text += info.name + " " + std::to_string(info.oldest_ms) + " ";
             return text;
         });
}

}  // namespace

// Five seeds to a case, so that ctest -j runs them side by side.
static void duel_of_seeds(int64_t first) {
    int64_t seeds = env_number("JOBQ_SEEDS", 5), steps = env_number("JOBQ_STEPS", 500);
    if (std::getenv("JOBQ_SEED")) {
        first = env_number("JOBQ_SEED", 1);
        seeds = 1;
    }
    OnRedis real;
    for (int64_t seed = first; seed < first + seeds; ++seed) {
        REQUIRE(run_task(real.reactor, real.store.flush()));
        Duel duel(real, uint64_t(seed));
        for (int64_t step = 1; step <= steps; ++step) {
            INFO("repeat with JOBQ_SEED=" << seed << "; step " << step);
            duel.step();
        }
        duel.healthy();
    }
}

TEST_CASE("random operations leave RedisStore and the model alike, seeds 1 to 5") {
    duel_of_seeds(1);
}

TEST_CASE("random operations leave RedisStore and the model alike, seeds 6 to 10") {
    duel_of_seeds(6);
}

TEST_CASE("random operations leave RedisStore and the model alike, seeds 11 to 15") {
    duel_of_seeds(11);
}

TEST_CASE("random operations leave RedisStore and the model alike, seeds 16 to 20") {
    duel_of_seeds(16);
}

}  // namespace jobq::test
