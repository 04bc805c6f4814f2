#include "daemon/server/verbs/job_filter.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq::verbs {
namespace {

constexpr std::string_view kAtEnd = "-";  // for a queue's cursor: all of it was looked at

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

    // Ready jobs live in a list per queue: from the cursor's queue on.
    void go_by_queues() {
        by_queue_ = true;
        const size_t space = request_.cursor.find(' ');
        if (space == std::string::npos) return;
        cursor_ = request_.cursor.substr(space + 1);
        before_ = request_.cursor.substr(0, space);
        if (cursor_ != kAtEnd) queues_.push_back(before_);
        if (cursor_ == kAtEnd) cursor_.clear();
    }

    // More names are wanted: behind which one.
    const std::string* wants_names() const {
        return by_queue_ && !all_named_ && at_ == queues_.size() ? &before_ : nullptr;
    }

    // Those that have jobs.
    void add_names(const QueuePage& names) {
        for (const auto& info : names.queues)
            if (info.size > 0) queues_.push_back(info.name);
        before_ = names.next;
        all_named_ = names.next.empty();
        page.next = rest();
    }

    void choose_one() {
        queues_.push_back(request_.filter.queue);
        cursor_ = request_.cursor;
    }

    bool goes_on() const {
        return (at_ < queues_.size() || wants_names()) && !full_ &&
               page.looked_at < request_.looks && broker_.reactor().now_ms() < until_ms_;
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
        page.next = rest();
    }

    ScanPage page;

  private:
    // Where another scan goes on.
    std::string rest() const {
        if (!by_queue_) return at_ == queues_.size() ? "" : cursor_;
        if (at_ < queues_.size()) return queues_[at_] + " " + cursor_;
        // At the end of the last queue whose name is known: behind its last job.
        return all_named_ ? "" : before_ + " " + std::string(kAtEnd);
    }

    Broker& broker_;
    const ScanRequest request_;
    const int64_t until_ms_;
    std::vector<std::string> queues_;  // one "" where it does not go by queues
    size_t at_ = 0;
    std::string cursor_;  // in that queue
    std::string before_;  // names up to this one have been looked at
    bool all_named_ = false;
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
    filter.group = request.text("group");
    for (const std::string* text : {&filter.error, &filter.text})
        if (text->size() > limits::kFilterTextBytes)
            request.refuse("\"error\" and \"text\" may have at most " +
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

std::string group_of(const JobView& view) {
    if (!view.group.empty()) return view.group;
    if (view.state != State::dead && view.state != State::retrying) return {};
    return cause_of(view.job.type, view.record).fingerprint();
}

// The text is the store's business: it has the whole of it.
bool JobFilter::matches(const JobView& view) const {
    if (!type.empty() && view.job.type != type) return false;
    if (!queue.empty() && view.job.queue != queue) return false;
    if (!group.empty() && group_of(view) != group) return false;
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
        scan.go_by_queues();
    } else {
        scan.choose_one();
    }
    while (scan.goes_on()) {
        if (const std::string* after = scan.wants_names()) {
            QueueRequest names;
            names.after = *after;
            names.limit = limits::kListPage;
            auto page = co_await broker.store().queue_page(std::move(names));
            if (!page) co_return tl::unexpected<Error>(page.error());
            scan.add_names(*page);
            continue;
        }
        auto page = co_await broker.store().list(scan.next_request());
        if (!page) co_return tl::unexpected<Error>(page.error());
        scan.take(std::move(*page));
    }
    co_return std::move(scan.page);
}

}  // namespace jobq::verbs
