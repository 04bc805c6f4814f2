#include "daemon/server/verbs/job_filter.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq::verbs {
namespace {

// Ready jobs live in a list per queue: the first queue with something from `request.cursor` on.
task<Result<ListPage>> list_all_queues(Broker& broker, ListRequest request) {
    auto queues = co_await broker.store().queues(false);
    if (!queues) co_return tl::unexpected<Error>(queues.error());
    size_t space = request.cursor.find(' ');
    std::string at = request.cursor.substr(0, space);
    std::string inner = space == std::string::npos ? "" : request.cursor.substr(space + 1);
    for (size_t i = 0; i < queues->size(); ++i) {
        const std::string& queue = (*queues)[i].name;
        if (queue < at || (*queues)[i].size == 0) continue;
        ListRequest one = request;
        one.queue = queue;
        one.cursor = queue == at ? inner : "";
        auto page = co_await broker.store().list(std::move(one));
        if (!page) co_return page;
        if (!page->next.empty()) {
            page->next = queue + " " + page->next;
            co_return page;
        }
        bool last = i + 1 == queues->size();
        if (!last) page->next = (*queues)[i + 1].name + " ";
        if (last || !page->jobs.empty()) co_return page;
    }
    co_return ListPage{};
}

}  // namespace

JobFilter JobFilter::from(Request& request) {
    JobFilter filter;
    filter.type = request.text("type");
    filter.queue = request.text("queue");
    filter.tag = request.text("tag");
    filter.error = request.text("error");
    std::string since = request.text("since");
    if (since.empty()) return filter;
    auto at = parse_rfc3339_ms(since);
    if (at) {
        filter.since_ms = *at;
    } else {
        request.refuse("since: " + at.error().text);
    }
    return filter;
}

bool JobFilter::matches(const JobView& view) const {
    if (!type.empty() && view.job.type != type) return false;
    if (!queue.empty() && view.job.queue != queue) return false;
    if (since_ms != 0) {
        int64_t at = view.state == State::dead ? view.at_ms : view.job.created_ms;
        if (at < since_ms) return false;
    }
    if (!tag.empty()) {
        if (view.job.tags.empty()) return false;
        bool found = false;
        for (const auto& element : json_array(view.job.tags))
            found = found || json_string(element.raw) == tag;
        if (!found) return false;
    }
    if (error.empty()) return true;
    if (view.record.errors.empty()) return false;
    const Attempt& last = view.record.errors.back();
    return last.message.find(error) != std::string::npos ||
           last.error_type.find(error) != std::string::npos;
}

task<Result<ListPage>> list_jobs(Broker& broker, ListRequest request, JobFilter filter) {
    Result<ListPage> page;
    if (filter.any_queue) {
        page = co_await list_all_queues(broker, std::move(request));
    } else {
        page = co_await broker.store().list(std::move(request));
    }
    if (page) std::erase_if(page->jobs, [&](const JobView& v) { return !filter.matches(v); });
    co_return page;
}

}  // namespace jobq::verbs
