#include "core/policy/pick.h"

namespace jobq {

std::vector<std::string> pick_order(const std::vector<QueueWeight>& queues, bool strict, Rng& rng) {
    std::vector<std::string> order;
    order.reserve(queues.size());
    if (strict) {
        for (const auto& queue : queues)
            order.push_back(queue.name);
        return order;
    }
    std::vector<QueueWeight> left = queues;
    uint64_t total = 0;
    for (const auto& queue : left)
        total += uint64_t(queue.weight);
    while (!left.empty()) {
        uint64_t draw = rng.below(total);
        size_t at = 0;
        while (draw >= uint64_t(left[at].weight))
            draw -= uint64_t(left[at++].weight);
        total -= uint64_t(left[at].weight);
        order.push_back(std::move(left[at].name));
        left.erase(left.begin() + int64_t(at));
    }
    return order;
}

}  // namespace jobq
