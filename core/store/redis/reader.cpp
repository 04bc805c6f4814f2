#include "core/store/redis/reader.h"

#include "core/base/text.h"
#include "core/job/codec.h"
#include "core/store/link/scripts.h"
#include "core/store/redis/rows.h"

namespace jobq {
namespace {

void cut_args(JobView& view) {
    view.job.args = std::string(utf8_prefix(view.job.args, limits::kPreviewBytes));
}

}  // namespace

task<Result<std::vector<Result<JobView>>>> RedisReader::get(std::vector<std::string> jids) {
    auto views = co_await look_at(std::move(jids), 0, "");
    co_return views;
}

task<Result<std::vector<Result<JobView>>>> RedisReader::look_at(std::vector<std::string> jids,
                                                                size_t head_bytes,
                                                                std::string text) {
    std::vector<Result<JobView>> views(jids.size(), JobView{});
    std::vector<size_t> whole;  // of these the head is not enough
    for (size_t from = 0; from < jids.size();) {
        const size_t to = std::min(jids.size(), from + limits::kScriptJobs);
        Command args;
        args.add(int64_t(head_bytes)).add(text);
        for (size_t i = from; i < to; ++i)
            args.add(jids[i]);
        auto reply = co_await caller_.run(scripts::get, std::move(args), to - from);
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        if (reply->items.empty()) co_return fail(ErrorCode::internal, "get: an empty answer");
        for (const Reply& row : reply->items) {
            const size_t i = from++;
            if (row.items.empty() || row.items[0].text == "other") {
                views[i] = fail(ErrorCode::not_found, "job " + jids[i] + " does not exist");
            } else if (row.items[0].text == "done") {
                fill_last_final(*views[i], jids[i], row);
            } else if (!fill_live(*views[i], jids[i], row)) {
                whole.push_back(i);
            }
        }
    }
    for (size_t i : whole) {
        std::vector<std::string> one{jids[i]};
        auto views_of_one = co_await get(std::move(one));
        if (!views_of_one) co_return views_of_one;
        views[i] = std::move(views_of_one->front());
    }
    co_return views;
}

// Requires: items are {next cursor, [jid, cursor behind it, group]*}. Jobs that moved on since are
// left out.
task<Result<ListPage>> RedisReader::list_page(Reply ids, ListRequest request) {
    ListPage page;
    page.next = ids.items.empty() ? "" : ids.items[0].text;
    std::vector<std::string> jids;
    for (size_t i = 1; i + 2 < ids.items.size(); i += 3)
        jids.push_back(ids.items[i].text);
    page.looked_at = int64_t(jids.size());
    const size_t head_bytes = request.heads ? limits::kHeadBytes : 0;
    auto views = co_await look_at(std::move(jids), head_bytes, request.text);
    if (!views) co_return tl::unexpected<Error>(views.error());
    for (size_t i = 0; i < views->size(); ++i) {
        auto& view = (*views)[i];
        if (!view || view->state != request.state) continue;
        if (!request.queue.empty() && view->job.queue != request.queue) continue;
        view->after = std::move(ids.items[3 * i + 2].text);
        view->group = std::move(ids.items[3 * i + 3].text);
        if (request.heads) cut_args(*view);
        page.jobs.push_back(std::move(*view));
    }
    co_return page;
}

task<Result<ListPage>> RedisReader::list_done(ListRequest request) {
    Command args;
    args.add(request.cursor).add(request.limit).add(final_record_begin(request.state));
    auto reply = co_await caller_.run(scripts::list_done, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    ListPage page;
    page.next = reply->items[0].text;
    page.looked_at = integer_of(reply->items[1]);
    for (size_t i = 2; i + 2 < reply->items.size(); i += 3) {
        JobView view;
        fill_final(view, reply->items[i].text, reply->items[i + 1].text);
        view.after = std::move(reply->items[i + 2].text);
        bool wanted = view.state == request.state &&
                      (request.queue.empty() || view.job.queue == request.queue) &&
                      view.final.result.find(request.text) != std::string::npos;
        if (wanted) page.jobs.push_back(std::move(view));
    }
    co_return page;
}

task<Result<ListPage>> RedisReader::list(ListRequest request) {
    if (is_final(request.state)) {
        auto page = co_await list_done(std::move(request));
        co_return page;
    }
    request.limit = std::clamp(request.limit, 1, int(limits::kScriptJobs));
    Command args;
    const Script* which = &scripts::list_set;
    if (request.state == State::ready) {
        which = &scripts::list_ready;
        args.add(request.queue).add(request.cursor).add(request.limit);
    } else if (request.state == State::running) {
        which = &scripts::list_running;
    } else {
        args.add(name(request.state)).add(request.cursor).add(request.limit);
        args.add(request.newest_first ? 1 : 0);
    }
    auto reply = co_await caller_.run(*which, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    if (request.state == State::running) {
        // All of them at once, as many as there are slots: page by jid here.
        std::vector<std::string> jids;
        for (auto& item : reply->items)
            jids.push_back(std::move(item.text));
        std::sort(jids.begin(), jids.end());
        auto first = std::upper_bound(jids.begin(), jids.end(), request.cursor);
        Reply page;
        page.items.resize(1);
        for (auto it = first; it != jids.end(); ++it) {
            if (int(page.items.size()) > 3 * request.limit) {
                page.items[0].text = page.items[page.items.size() - 2].text;
                break;
            }
            page.items.resize(page.items.size() + 3);
            page.items[page.items.size() - 3].text = *it;
            page.items[page.items.size() - 2].text = *it;  // the jid is its own cursor
        }
        *reply = std::move(page);
    }
    auto page = co_await list_page(std::move(*reply), std::move(request));
    co_return page;
}

task<Result<std::vector<AttemptLog>>> RedisReader::logs(std::string jid) {
    std::vector<std::string> one{jid};
    auto views = co_await get(std::move(one));
    if (!views) co_return tl::unexpected<Error>(views.error());
    if (!views->front()) co_return tl::unexpected<Error>(views->front().error());
    const JobRecord& record = views->front()->record;
    int last = record.attempts;
    for (const auto& error : record.errors)
        last = std::max(last, error.number);  // a revived job counts from zero again
    int first = std::max(1, last - limits::kErrorsKept + 1);
    std::vector<AttemptLog> logs;
    if (last == 0) co_return logs;
    Command args;
    args.add(jid);
    for (int attempt = first; attempt <= last; ++attempt)
        args.add(attempt);
    auto reply =
        co_await caller_.run(scripts::logs, std::move(args), size_t(int64_t(last) - first + 1));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    for (int attempt = first; attempt <= last; ++attempt) {
        std::string& text = reply->items[size_t(attempt - first)].text;
        if (!text.empty()) logs.push_back({attempt, std::move(text)});
    }
    co_return logs;
}

task<Result<PlaceInLine>> RedisReader::place_in_line(std::string jid, std::string queue,
                                                     int priority) {
    Command args;
    args.add(jid).add(queue).add(priority);
    auto reply = co_await caller_.run(scripts::place, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    auto& items = reply->items;
    PlaceInLine place;
    place.ahead = integer_of(items[0]);
    place.exact = integer_of(items[1]) == 1;
    place.in_use = integer_of(items[2]);
    for (size_t i = 3; i + 1 < items.size(); i += 2)
        place.holders.emplace_back(std::move(items[i].text), std::move(items[i + 1].text));
    co_return place;
}

}  // namespace jobq
