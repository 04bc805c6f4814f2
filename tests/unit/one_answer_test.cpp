// core/async OneAnswer: a costly answer is made once for all who may have it, and never shows less
// than was there when it was asked for.
#include "core/async/one_answer.h"

#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>
#include <vector>

#include "core/async/gate.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// Something that changes, and what it costs to look at it.
struct Scene {
    TestReactor reactor;
    OneAnswer<int> answer{reactor};
    int now = 1, looks = 0;
    int64_t serves = 0;
    bool fails = false, throws = false;
    std::vector<int> got;

    void ask();
};

task<Result<int>> look(Scene& scene) {
    ++scene.looks;
    const int seen = scene.now;
    co_await sleep_for(scene.reactor, 10);
    if (scene.throws) throw std::runtime_error("no look");
    if (scene.fails) co_return fail(ErrorCode::unavailable, "down");
    co_return seen;
}

task<void> asks(Scene& scene) {
    std::function<task<Result<int>>()> make = std::bind(look, std::ref(scene));
    std::function<int64_t(const int&)> serves = [&scene](const int&) { return scene.serves; };
    auto made = co_await scene.answer.get(make, serves);
    scene.got.push_back(made ? **made : -1);
}

void Scene::ask() {
    spawn(asks(*this));
    reactor.run_until_idle();
}

}  // namespace

TEST_CASE("one answer: those who ask while it is made share the next one, begun after they asked") {
    Scene scene;
    scene.ask();
    scene.now = 2;
    scene.ask();
    scene.ask();
    CHECK(scene.looks == 1);
    scene.reactor.advance(10);
    CHECK(scene.got == std::vector<int>{1});
    scene.reactor.advance(10);
    CHECK(scene.got == std::vector<int>{1, 2, 2});
    CHECK(scene.looks == 2);
    scene.now = 3;
    scene.ask();
    scene.reactor.advance(10);
    CHECK(scene.got.back() == 3);
}

TEST_CASE("one answer: it serves for its time, unless it is forgotten") {
    Scene scene;
    scene.serves = 100;
    scene.ask();
    scene.reactor.advance(10);
    scene.now = 2;
    scene.reactor.advance(99);
    scene.ask();
    CHECK(scene.got == std::vector<int>{1, 1});
    scene.reactor.advance(1);
    scene.ask();
    scene.now = 3;
    scene.answer.forget();  // while it is made: good for him who waits for it, for nobody else
    scene.reactor.advance(10);
    CHECK(scene.got == std::vector<int>{1, 1, 2});
    scene.ask();
    scene.reactor.advance(10);
    CHECK(scene.got.back() == 3);
    CHECK(scene.looks == 3);
}

TEST_CASE("one answer: an error goes to those who waited, and the next one looks anew") {
    Scene scene;
    scene.serves = 100;
    scene.fails = true;
    scene.ask();
    scene.ask();
    scene.ask();
    scene.reactor.advance(20);
    CHECK(scene.got == std::vector<int>{-1, -1, -1});
    CHECK(scene.looks == 2);
    scene.fails = false;
    scene.ask();
    scene.reactor.advance(10);
    CHECK(scene.got.back() == 1);
}

TEST_CASE("one answer: an exception ends one look, and who waited for it looks") {
    Scene scene;
    scene.throws = true;
    Gate gate(scene.reactor);
    gate.spawn(asks(scene));
    scene.ask();
    scene.reactor.advance(9);
    CHECK(scene.looks == 1);
    scene.reactor.advance(1);
    scene.throws = false;
    CHECK(scene.looks == 2);
    scene.reactor.advance(10);
    CHECK(scene.got == std::vector<int>{1});
}
