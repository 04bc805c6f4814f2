// JOBQ DEAD_GROUPS: the dead by what killed them, so that a person sees three causes instead of ten
// thousand jobs. The store counts them: what is said is exact. With a filter that looks into jobs,
// a bounded scan, newest first; how far it got is said.
#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/job_filter.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr size_t kGroupsShown = 100;

void write_group(JsonWriter& json, const FailedGroup& group) {
    const Cause& cause = group.cause;
    json.begin_object().field("group", group.id).field("type", cause.type);
    json.field("error_type", cause.error_type).field("message", cause.message);
    json.field("reason", cause.reason).field("count", group.dead);
    json.field("retrying", group.retrying);
    json.field("newest_at", format_rfc3339(group.latest_ms));
    json.field("oldest_at", format_rfc3339(group.since_ms)).field("example", group.latest);
    json.key("filter").begin_object().field("state", "dead").field("group", group.id);
    json.end_object().end_object();
}

// The biggest, and how many jobs are in the others.
void write_groups(JsonWriter& json, std::vector<FailedGroup> groups) {
    std::stable_sort(groups.begin(), groups.end(),
                     [](const FailedGroup& a, const FailedGroup& b) { return a.dead > b.dead; });
    int64_t others = 0;
    json.key("groups").begin_array();
    for (size_t i = 0; i < groups.size(); ++i) {
        if (i < kGroupsShown) {
            write_group(json, groups[i]);
        } else {
            others += groups[i].dead;
        }
    }
    json.end_array().field("others", others);
}

// The store's own groups answer a filter that a group alone can.
bool is_of_groups(const JobFilter& filter) {
    JobFilter rest = filter;
    rest.type.clear();
    rest.group.clear();
    return rest.is_empty();
}

void add_job(std::map<std::string, FailedGroup>& groups, const JobView& view) {
    const std::string id = group_of(view);
    FailedGroup fresh;
    fresh.id = id;
    fresh.cause = cause_of(view.job.type, view.record);
    fresh.latest = view.job.jid;
    fresh.latest_ms = fresh.since_ms = view.at_ms;
    FailedGroup& group = groups.emplace(id, fresh).first->second;
    ++group.dead;
    group.since_ms = std::min(group.since_ms, view.at_ms);
}

task<Answer> scan_groups(Broker& broker, JobFilter filter) {
    auto stats = co_await broker.store().stats();
    if (!stats) co_return tl::unexpected<Error>(stats.error());
    ScanRequest scan;
    scan.state = State::dead;
    scan.filter = std::move(filter);
    scan.newest_first = true;
    scan.limit = limits::kListPageMax;
    std::map<std::string, FailedGroup> groups;
    int64_t looked_at = 0;
    bool more = true;
    while (more) {
        auto page = co_await scan_jobs(broker, scan);
        if (!page) co_return tl::unexpected<Error>(page.error());
        for (const auto& view : page->jobs)
            add_job(groups, view);
        looked_at += page->looked_at;
        scan.cursor = page->next;
        // So many jobs, not so long: an equal look has an equal answer.
        more = !scan.cursor.empty() && looked_at < limits::kScanJobs;
    }
    std::vector<FailedGroup> found;
    for (auto& [id, group] : groups)
        found.push_back(std::move(group));
    JsonWriter json;
    json.begin_object();
    write_groups(json, std::move(found));
    json.field("looked_at", looked_at).field("total", std::max(stats->dead, looked_at));
    json.field("partial", !scan.cursor.empty()).end_object();
    co_return json.take();
}

}  // namespace

task<Answer> dead_groups(ServerContext& context, std::string argument) {
    Request request(argument);
    const JobFilter filter = JobFilter::from(request);
    if (request.error()) co_return tl::unexpected<Error>(*request.error());
    if (!is_of_groups(filter)) {
        auto answer = co_await scan_groups(context.broker, filter);
        co_return answer;
    }
    auto failed = co_await context.broker.store().failed_groups();
    if (!failed) co_return tl::unexpected<Error>(failed.error());
    int64_t total = 0;
    std::erase_if(failed->groups, [&](const FailedGroup& group) {
        const bool other = (!filter.type.empty() && group.cause.type != filter.type) ||
                           (!filter.group.empty() && group.id != filter.group);
        if (!other) total += group.dead;
        return other || group.dead == 0;
    });
    JsonWriter json;
    json.begin_object();
    write_groups(json, std::move(failed->groups));
    json.field("looked_at", total).field("total", total).field("partial", !failed->all);
    json.end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
