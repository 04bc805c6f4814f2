// The queues a worker serves as words of a command line: `critical default` in this order, or
// `critical=6 default=1` by chance according to weights. Read by `jobq work`, and again by the
// runner it starts, so that both mean the same.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/config/config.h"

namespace jobq {

struct QueueWords {
    std::vector<QueueWeight> queues;
    bool strict = true;  // no word had a weight
};

// `invalid` with the word that can't be meant. A word without a weight among those with one has 1.
Result<QueueWords> parse_queue_words(const std::vector<std::string>& words);

}  // namespace jobq
