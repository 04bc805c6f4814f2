#include "daemon/server/verbs/job_filter.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq::verbs {
namespace {

bool has_tag(const Job& job, const std::string& tag) {
    if (job.tags.empty()) return false;
    for (const auto& element : json_array(job.tags))
        if (json_string(element.raw) == tag) return true;
    return false;
}

// One scan: page after page of the store, of one queue after the other where there are more.
class Scan {
  public:
    Scan(Broker& broker, ScanRequest request)
        : broker_(broker),
          request_(std::move(request)),
          until_ms_(broker.reactor().now_ms() + request_.for_ms) {}

    // Ready jobs live in a list per queue: those that have some, from the cursor's on.
    Result<> choose(Result<std::vector<QueueInfo>> queues) {
        if (!queues) return tl::unexpected<Error>(queues.error());
        by_queue_ = true;
        const size_t space = request_.cursor.find(' ');
        const std::string first = request_.cursor.substr(0, space);
        cursor_ = space == std::string::npos ? "" : request_.cursor.substr(space + 1);
        for (const auto& info : *queues)
            if (info.size > 0 && info.name >= first) queues_.push_back(info.name);
        // It has been emptied since: its cursor is of no other queue.
        if (queues_.empty() || queues_.front() != first) cursor_.clear();
        return {};
    }

    void choose_one() {
        queues_.push_back(request_.filter.queue);
        cursor_ = request_.cursor;
    }

    bool goes_on() const {
        return at_ < queues_.size() && !full_ && page.looked_at < request_.looks &&
               broker_.reactor().now_ms() < until_ms_;
    }

    ListRequest next_request() const {
        ListRequest one;
        one.state = request_.state;
        one.queue = queues_[at_];
        one.cursor = cursor_;
        one.text = request_.filter.text;
        one.heads = true;
        one.newest_first = request_.newest_first;
        const int64_t left = request_.limit - int64_t(page.jobs.size());
        const bool sparse = !request_.filter.is_empty();
        one.limit = sparse ? request_.page : int(std::min<int64_t>(left, limits::kListPageMax));
        return one;
    }

    void take(ListPage found) {
        page.looked_at += found.looked_at;
        cursor_ = found.next;
        for (size_t i = 0; i < found.jobs.size(); ++i) {
            if (!request_.filter.matches(found.jobs[i])) continue;
            page.jobs.push_back(std::move(found.jobs[i]));
            if (int(page.jobs.size()) < request_.limit) continue;
            full_ = true;
            if (i + 1 < found.jobs.size()) cursor_ = page.jobs.back().after;
            break;
        }
        if (cursor_.empty()) ++at_;
        page.next = at_ == queues_.size() ? "" : by_queue_ ? queues_[at_] + " " + cursor_ : cursor_;
    }

    ScanPage page;

  private:
    Broker& broker_;
    const ScanRequest request_;
    const int64_t until_ms_;
    std::vector<std::string> queues_;  // one "" where it does not go by queues
    size_t at_ = 0;
    std::string cursor_;  // in that queue
    bool by_queue_ = false, full_ = false;
};

}  // namespace

JobFilter JobFilter::from(Request& request) {
    JobFilter filter;
    filter.type = request.text("type");
    filter.queue = request.text("queue");
    filter.tag = request.text("tag");
    filter.error = request.text("error");
    filter.text = request.text("text");
    for (const std::string* text : {&filter.error, &filter.text})
        if (text->size() > limits::kFilterTextBytes)
            request.refuse("a text to look for may have " +
                           std::to_string(limits::kFilterTextBytes) + " bytes");
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

// The text is the store's business: it has the whole of it.
bool JobFilter::matches(const JobView& view) const {
    if (!type.empty() && view.job.type != type) return false;
    if (!queue.empty() && view.job.queue != queue) return false;
    if (since_ms != 0) {
        int64_t at = view.state == State::dead ? view.at_ms : view.job.created_ms;
        if (at < since_ms) return false;
    }
    if (!tag.empty() && !has_tag(view.job, tag)) return false;
    if (error.empty()) return true;
    if (view.record.errors.empty()) return false;
    const Attempt& last = view.record.errors.back();
    return last.message.find(error) != std::string::npos ||
           last.error_type.find(error) != std::string::npos;
}

task<Result<ScanPage>> scan_jobs(Broker& broker, ScanRequest request) {
    const bool all_queues = request.state == State::ready && request.filter.queue.empty();
    Scan scan(broker, std::move(request));
    if (all_queues) {
        auto queues = co_await broker.store().queues(false);
        auto chosen = scan.choose(std::move(queues));
        if (!chosen) co_return tl::unexpected<Error>(chosen.error());
    } else {
        scan.choose_one();
    }
    while (scan.goes_on()) {
        auto page = co_await broker.store().list(scan.next_request());
        if (!page) co_return tl::unexpected<Error>(page.error());
        scan.take(std::move(*page));
    }
    co_return std::move(scan.page);
}

}  // namespace jobq::verbs
