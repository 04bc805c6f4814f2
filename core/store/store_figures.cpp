// StoreFigures: what every store does alike.
#include "core/store/store_figures.h"

#include <iterator>

namespace jobq {

task<Result<std::vector<QueueInfo>>> StoreFigures::queues(bool latency) {
    std::vector<QueueInfo> all;
    QueueRequest request;
    request.latency = latency;
    bool more = true;
    while (more) {
        auto page = co_await queue_page(request);
        if (!page) co_return tl::unexpected<Error>(page.error());
        std::move(page->queues.begin(), page->queues.end(), std::back_inserter(all));
        request.after = page->next;
        more = !page->next.empty();
    }
    co_return all;
}

}  // namespace jobq
