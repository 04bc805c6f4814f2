// Words to queues and weights; see queue_words.h. Pure.
#include "core/config/queue_words.h"

#include "core/base/text.h"
#include "core/job/job.h"

namespace jobq {
namespace {

constexpr int64_t kWeightMost = 1'000;

}  // namespace

Result<QueueWords> parse_queue_words(const std::vector<std::string>& words) {
    QueueWords out;
    for (const auto& word : words) {
        const size_t equals = word.find('=');
        QueueWeight queue{word.substr(0, equals), 1};
        if (!is_name(queue.name))
            return fail(ErrorCode::invalid,
                        "'" + printable(queue.name) +
                            "' is not a valid queue name: use 1 to 255 of A-Z a-z 0-9 . _ -");
        if (equals != std::string::npos) {
            const auto weight = parse_int(std::string_view(word).substr(equals + 1));
            if (!weight || *weight < 1 || *weight > kWeightMost)
                return fail(ErrorCode::invalid, "'" + printable(word) +
                                                    "': the weight of a queue is a number from "
                                                    "1 to " +
                                                    std::to_string(kWeightMost));
            queue.weight = int(*weight);
            out.strict = false;
        }
        for (const auto& known : out.queues)
            if (known.name == queue.name)
                return fail(ErrorCode::invalid, "the queue " + queue.name + " is named twice");
        out.queues.push_back(std::move(queue));
    }
    if (out.queues.empty()) return fail(ErrorCode::invalid, "no queue is named");
    return out;
}

}  // namespace jobq
