// Jobs that end without a run, when they are taken: people are told once the store has it so, and
// of one that it did not end nothing.
#include <catch2/catch.hpp>
#include <optional>

#include "core/store/around_store.h"
#include "daemon/broker/broker.h"
#include "tests/support/builders.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// Whose `finish` does not come through while it is cut.
class CutStore final : public AroundStore<CutStore> {
  public:
    explicit CutStore(Store& below) : below_(below) {}

    std::unique_ptr<Checkup> checkup(bool fix) override { return below_.checkup(fix); }

    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override {
        if (cut) co_return fail(ErrorCode::unavailable, "Redis can't be reached");
        auto done = co_await below_.finish(std::move(batch));
        co_return done;
    }

    template <class Call>
    auto around(std::string_view, const Whom&, const Call& call) {
        return call(below_);
    }

    bool cut = false;

  private:
    Store& below_;
};

struct Told final : JobObserver {
    void buried(const BuriedJob& job) override { said.push_back("buried " + job.job.jid); }

    void expired(const Job& job) override { said.push_back("expired " + job.jid); }

    std::vector<std::string> said;
};

struct Rig {
    Rig() {
        BrokerOutside outside;
        outside.observers = {&told};
        broker.emplace(reactor, store, events, workers, std::make_shared<Config>(),
                       std::move(outside));
    }

    void fetch() {
        FetchOrder order;
        order.owner = "faktory";
        order.queues = {"default"};
        order.count = 10;
        order.lease_per_job = true;
        auto ticket = std::make_shared<Waiters::Ticket>(reactor);
        auto taken = run_task(reactor, broker->dispatch().fetch(std::move(order), ticket));
        REQUIRE(taken);
        CHECK(taken->empty());
    }

    TestReactor reactor;
    MemoryStore below{reactor};
    CutStore store{below};
    Events events{reactor};
    Workers workers{reactor};
    Told told;
    std::optional<Broker> broker;
};

}  // namespace

TEST_CASE("an expired and a forbidden job are told of if the store has ended them") {
    Rig rig;
    rig.store.cut = GENERATE(false, true);
    Job old = a_job("mail", "job-0001"), command = a_job("run", "job-0002");
    old.expires_ms = rig.reactor.wall_ms() + 10;
    std::vector<Job> jobs{old, command};
    REQUIRE(run_task(rig.reactor, rig.below.enqueue(std::move(jobs))));
    rig.reactor.advance(20);
    rig.fetch();
    const std::vector<std::string> all{"expired job-0001", "buried job-0002"};
    CHECK(rig.told.said == (rig.store.cut ? std::vector<std::string>{} : all));
}
