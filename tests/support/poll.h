// eventually(): the only way tests wait for something another process does: look again and again,
// up to a deadline. Never sleep and hope.
#pragma once

#include <chrono>
#include <thread>

namespace jobq::test {

// True as soon as `condition()` is; false when `limit` has passed first.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    auto deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

}  // namespace jobq::test
