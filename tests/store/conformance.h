// What the store's tests stand on: a store with its clock, in memory or on a Redis of its own, and
// verbs that make a test read like what it says. Used by every file of tests/store.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/store/redis/redis_store.h"
#include "tests/support/builders.h"
#include "tests/support/dump.h"
#include "tests/support/memory_store.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"
#include "tests/support/sync_link.h"

namespace jobq::test {

struct InMemory {
    TestReactor reactor;
    MemoryStore store{reactor};
};

struct OnRedis {
    TestReactor reactor;
    RedisServer server;
    SyncLink link{server.socket_path()};
    RedisStore store{reactor, link, Keys("test"), {}};
    ScriptCaller caller{reactor, link, Keys("test"), {}, [](const std::string&) {}};  // of its own

    OnRedis() { REQUIRE(run_task(reactor, store.open())); }
};

// "ok", or the name of the error.
template <class T>
std::string outcome(const Result<T>& result) {
    return result ? "ok" : std::string(info(result.error().code).name);
}

template <class T>
std::vector<std::string> outcomes(const std::vector<Result<T>>& results) {
    std::vector<std::string> texts;
    for (const auto& result : results)
        texts.push_back(outcome(result));
    return texts;
}

inline std::string text_of(const Result<Enqueued>& result) {
    if (!result) return outcome(result);
    if (result->how == Enqueued::How::existing) return "existing " + result->jid;
    if (result->how == Enqueued::How::same) return "same " + result->jid;
    return std::string(name(result->state)) + " " + result->jid;
}

inline std::vector<std::string> jids_of(const std::vector<Leased>& leases) {
    std::vector<std::string> jids;
    for (const auto& lease : leases)
        jids.push_back(lease.job.jid);
    return jids;
}

using Texts = std::vector<std::string>;

// A store with verbs. Setup is InMemory or OnRedis.
template <class Setup>
class StoreTest : public Setup {
  public:
    // The value; an error ends the test.
    template <class T>
    T get_value(task<Result<T>> body) {
        auto result = run_task(this->reactor, std::move(body));
        INFO((result ? "" : result.error().text));
        REQUIRE(result);
        return std::move(*result);
    }

    void done(task<Result<>> body) {
        auto result = run_task(this->reactor, std::move(body));
        INFO((result ? "" : result.error().text));
        REQUIRE(result);
    }

    Texts push(std::vector<Job> jobs) {
        Texts texts;
        for (const auto& result : get_value(this->store.enqueue(std::move(jobs))))
            texts.push_back(text_of(result));
        return texts;
    }

    std::vector<Leased> fetch(std::vector<std::string> queues, int count = 1,
                              std::string owner = "pool1", Types types = nullptr) {
        FetchRequest request;
        request.owner = std::move(owner);
        request.queues = std::move(queues);
        request.count = count;
        request.types = std::move(types);
        return get_value(this->store.fetch(request));
    }

    Texts fetch_jids(std::vector<std::string> queues, int count = 1) {
        return jids_of(fetch(queues, count));
    }

    // The next job of the default queue, for pool1.
    Leased take() {
        auto leases = fetch({"default"});
        REQUIRE(leases.size() == 1);
        return leases[0];
    }

    std::string finish(Finish end) {
        std::vector<Finish> batch{std::move(end)};
        return outcome(get_value(this->store.finish(std::move(batch)))[0]);
    }

    std::string end(const Leased& lease, Move move, int64_t at_ms = 0) {
        return finish(an_end("pool1", lease, move, at_ms));
    }

    std::string cancel(std::string jid) {
        auto result = get_value(this->store.cancel({jid}))[0];
        if (!result) return outcome(result);
        return std::string(name(result->was)) + (result->owner.empty() ? "" : " " + result->owner);
    }

    std::string requeue(std::string jid, bool revive = false) {
        return outcome(get_value(this->store.requeue({jid}, revive))[0]);
    }

    std::string remove(std::string jid) { return outcome(get_value(this->store.remove({jid}))[0]); }

    std::string kill(std::string jid) { return outcome(get_value(this->store.kill({jid}))[0]); }

    // The job's state, "none" when it is not known.
    std::string state(std::string jid) {
        auto view = get_value(this->store.get({jid}))[0];
        if (!view) return view.error().code == ErrorCode::not_found ? "none" : outcome(view);
        return std::string(name(view->state));
    }

    JobView view(std::string jid) {
        auto result = get_value(this->store.get({jid}))[0];
        REQUIRE(result);
        return *result;
    }

    Texts list(State state, std::string queue = "") {
        Texts jids;
        for (const auto& job : list_all(this->store, this->reactor, state, queue, 2))
            jids.push_back(job.job.jid);
        return jids;
    }

    StoreStats stats() { return get_value(this->store.stats()); }

    int64_t now() const { return this->reactor.wall_ms(); }

    std::string dump() { return test::dump(this->store, this->reactor); }
};

}  // namespace jobq::test
