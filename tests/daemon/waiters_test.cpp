// Waiters: who is woken for a new job. Those who run its type, longest waiting first.
#include "daemon/broker/waiters.h"

#include <catch2/catch.hpp>

#include "core/async/gate.h"
#include "tests/support/run_task.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {
namespace {

using Ticket = std::shared_ptr<Waiters::Ticket>;

// Somebody who waits for the queue "mail" until he is woken.
struct Waiter {
    Waiter(TestReactor& reactor, Waiters& waiters, Types types)
        : ticket(std::make_shared<Waiters::Ticket>(reactor)), gate(reactor) {
        const std::vector<std::string> mail{"mail"};
        const uint64_t seen = waiters.pushes(mail, types);
        gate.spawn(waiters.wait(mail, std::move(types), seen, 60'000, ticket));
    }

    bool woken() const { return ticket->woken; }

    Ticket ticket;
    Gate gate;
};

struct Setup {
    TestReactor reactor;
    Waiters waiters{reactor};
    std::vector<std::unique_ptr<Waiter>> all;

    ~Setup() {
        for (auto& waiter : all)
            waiter->ticket->interrupt();
        for (auto& waiter : all)
            run_task(reactor, waiter->gate.close());
    }

    void wait(Types types) {
        all.push_back(std::make_unique<Waiter>(reactor, waiters, std::move(types)));
    }

    // One digit for each: woken or not.
    std::string woken() const {
        std::string text;
        for (const auto& waiter : all)
            text += waiter->woken() ? '1' : '0';
        return text;
    }
};

const Types kMails = types_of({"email"}), kBoth = types_of({"email", "sms"});

TEST_CASE("a push wakes the longest waiting of those who run its type") {
    Setup s;
    s.wait(types_of({"sms"}));
    s.wait(kMails);
    s.wait(nullptr);
    s.wait(kBoth);
    s.waiters.notify("mail", "email", 1);
    CHECK(s.woken() == "0100");
    s.waiters.notify("mail", "other", 3);
    CHECK(s.woken() == "0110");
    s.waiters.notify("mail", "nobody's", 1);
    CHECK(s.woken() == "0110");
    s.waiters.notify("mail", "sms", 5);
    CHECK(s.woken() == "1111");
}

TEST_CASE("a push of a type that is not known wakes as many of each kind of waiter") {
    Setup s;
    for (const Types& types : {kMails, kMails, Types(), Types(), kBoth})
        s.wait(types);
    s.waiters.notify("mail", "", 1);
    CHECK(s.woken() == "10101");
    s.waiters.notify("mail", "", 2);
    CHECK(s.woken() == "11111");
}

TEST_CASE("who was woken and takes something else passes it on to one who runs it") {
    Setup s;
    s.wait(kMails);
    s.wait(types_of({"sms"}));
    s.wait(kBoth);
    s.waiters.notify("mail", "email", 1);
    s.waiters.pass_on(*s.all[0]->ticket);
    CHECK(s.woken() == "101");
}

TEST_CASE("a push between a look and the wait is seen by who runs its type, and by no other") {
    TestReactor reactor;
    Waiters waiters(reactor);
    const std::vector<std::string> mail{"mail", "other"};
    const uint64_t any = waiters.pushes(mail, nullptr), mails = waiters.pushes(mail, kMails);
    const Types others = types_of({"x"});
    REQUIRE(others->marks() != kMails->marks());
    const uint64_t unmoved = waiters.pushes(mail, others);
    waiters.notify("mail", "email", 2);
    CHECK(waiters.pushes(mail, nullptr) != any);
    CHECK(waiters.pushes(mail, kMails) != mails);
    CHECK(waiters.pushes(mail, others) == unmoved);
    waiters.notify("mail", "", 1);
    CHECK(waiters.pushes(mail, others) != unmoved);
    auto ticket = std::make_shared<Waiters::Ticket>(reactor);
    run_task(reactor, waiters.wait(mail, kMails, mails, 60'000, ticket));  // ends at once
}

TEST_CASE("only somebody who runs the next job's type is a reason for the watchdog") {
    Setup s;
    s.wait(kMails);
    const int64_t now = s.reactor.now_ms();
    CHECK(s.waiters.has_waited_since("mail", "email", now));
    CHECK(s.waiters.has_waited_since("mail", "", now));
    CHECK_FALSE(s.waiters.has_waited_since("mail", "sms", now));
    s.waiters.alarm("mail", "sms", 1);
    CHECK(s.woken() == "0");
    s.waiters.alarm("mail", "email", 1);
    CHECK(s.woken() == "1");
    CHECK(s.all[0]->ticket->alarmed);
}

}  // namespace
}  // namespace jobq::test
