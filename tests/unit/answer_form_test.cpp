// What comes from the other end of the link, whatever it is, is an answer or an error.
#include "core/store/link/answer_form.h"

#include <catch2/catch.hpp>

#include "core/store/link/scripts.h"
#include "core/store/redis/redis_store.h"
#include "tests/support/builders.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

Reply any_reply(Rng& rng, int depth) {
    Reply reply;
    const auto kind = rng.below(depth > 2 ? 3 : 6);
    if (kind == 1) {
        reply.kind = Reply::Kind::string;
        static const char* const kTexts[] = {"",         "0",    "1", "-9", "ready",
                                             "running ", "done", "!", "x 5"};
        reply.text = kTexts[rng.below(std::size(kTexts))];
    } else if (kind == 2) {
        reply.kind = Reply::Kind::integer;
        static constexpr int64_t kNumbers[] = {0, 1, 2, -1, INT64_MAX, INT64_MIN};
        reply.integer = kNumbers[rng.below(std::size(kNumbers))];
    } else if (kind > 2) {
        reply.kind = Reply::Kind::array;
        for (uint64_t n = rng.below(8); n > 0; --n)
            reply.items.push_back(any_reply(rng, depth + 1));
    }
    return reply;
}

// Answers a number of calls with anything, then none: what would ask for ever ends.
struct WildLink final : RedisLink {
    explicit WildLink(uint64_t seed) : rng(seed) {}

    task<Result<Reply>> call(Command) override {
        if (left-- <= 0) co_return fail(ErrorCode::unavailable, "enough");
        co_return any_reply(rng, 0);
    }

    Rng rng;
    int left = 0;
};

struct Wild {
    explicit Wild(uint64_t seed)
        : link(seed), store(reactor, link, Keys("test"), RedisStoreOptions{}) {}

    template <class T>
    void ask(task<T> call) {
        link.left = 20;
        run_task(reactor, std::move(call));
    }

    TestReactor reactor;
    WildLink link;
    RedisStore store;
};

Job plain_job(std::string jid) {
    Job job;
    job.jid = std::move(jid);
    job.type = "mail";
    job.queue = "default";
    job.args = "[1]";
    return job;
}

task<void> doctor(RedisStore& store) {
    auto checkup = store.checkup(true);
    for (int i = 0; i < 20; ++i) {
        auto page = co_await checkup->next();
        if (!page || page->over) co_return;
    }
}

void ask_all(Wild& wild) {
    const std::vector<std::string> jids{"jid-number-1", "jid-number-2"};
    RedisStore& store = wild.store;
    wild.ask(store.enqueue({plain_job(jids[0]), plain_job(jids[1])}));
    Job later = plain_job(jids[1]);
    later.idempotency_key = "k";
    wild.ask(store.enqueue({plain_job(jids[0]), later}));
    FetchRequest fetch;
    fetch.owner = "o";
    fetch.queues = {"default"};
    fetch.count = 5;
    wild.ask(store.fetch(fetch));
    for (Move move : {Move::succeed, Move::retry, Move::release}) {
        Finish finish;
        finish.jid = jids[0];
        finish.owner = "o";
        finish.token = "t";
        finish.queue = "default";
        finish.transition.move = move;
        wild.ask(store.finish({finish}));
    }
    wild.ask(store.take_over("a", "b", {}, 10));
    wild.ask(store.owners());
    wild.ask(store.promote(1, 10));
    wild.ask(store.purge(1));
    wild.ask(store.cancel(jids));
    wild.ask(store.requeue(jids, true));
    wild.ask(store.remove(jids));
    wild.ask(store.kill(jids));
    wild.ask(store.get(jids));
    for (State state : {State::ready, State::running, State::scheduled, State::succeeded}) {
        ListRequest list;
        list.state = state;
        list.queue = "default";
        list.limit = 3;
        wild.ask(store.list(list));
    }
    wild.ask(store.logs(jids[0]));
    wild.ask(store.stats());
    wild.ask(store.queues(true));
    wild.ask(store.clear("default", true));
    wild.ask(store.batch("b-1"));
    wild.ask(store.open_batch("b-1", true));
    wild.ask(store.progress(jids));
    wild.ask(store.bring_in({Imported{plain_job(jids[0]), {}, State::ready, 0}}));
    wild.ask(store.open());
    wild.ask(doctor(store));
}

}  // namespace

TEST_CASE("every script has the form of its answer") {
    for (const auto& script : all_scripts()) {
        INFO(script.name << ": add it to core/store/answer_form.cpp");
        CHECK(answer_form(script) != nullptr);
    }
}

TEST_CASE("an answer of another form is an error, which says whether something may be done") {
    const Reply nil, word{Reply::Kind::string, 0, "x", {}}, number{Reply::Kind::integer, 3, "", {}};
    const Reply rows{Reply::Kind::array, 0, "", {word, number}};
    const Reply holes{Reply::Kind::array, 0, "", {word, nil}};
    CHECK(check_answer(scripts::stats, rows, 0).error().code == ErrorCode::internal);
    CHECK(check_answer(scripts::clear, nil, 0).error().code == ErrorCode::unknown);
    CHECK(check_answer(scripts::clear, rows, 0));
    CHECK(check_answer(scripts::enqueue, number, 5));
    CHECK(check_answer(scripts::enqueue, rows, 2));
    CHECK(check_answer(scripts::enqueue, rows, 3).error().code == ErrorCode::unknown);
    CHECK(check_answer(scripts::enqueue, holes, 2).error().code == ErrorCode::unknown);
    CHECK_FALSE(check_answer(scripts::cancel, number, 1));
    CHECK_FALSE(check_answer(scripts::get, rows, 1));
    CHECK_FALSE(check_answer(scripts::push, rows, 1));
    CHECK(rows.at(1).integer == 3);
    CHECK(rows.at(2).is_nil());
}

TEST_CASE("whatever Redis answers, each call of the store ends with an answer or an error") {
    for (uint64_t seed = 1; seed <= 300; ++seed) {
        INFO("seed " << seed);
        Wild wild(seed);
        ask_all(wild);
    }
}
