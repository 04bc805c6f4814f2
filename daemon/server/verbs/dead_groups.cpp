// JOBQ DEAD_GROUPS: the dead by what killed them: type and last error, so that a person sees three
// causes instead of ten thousand jobs. A bounded scan, newest first; how far it got is said.
#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/protocol/json_writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/job_filter.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr size_t kGroupsMax = 1'000;  // told apart
constexpr size_t kGroupsShown = 100;

struct Group {
    std::string type, error_type, message, reason;
    int64_t count = 0, newest_ms = 0, oldest_ms = 0;
    std::string example;  // the newest one's jid
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The first line, with "#" for each number: they differ from job to job.
std::string message_shape(std::string_view message) {
    message = utf8_prefix(message.substr(0, message.find('\n')), limits::kFilterTextBytes);
    std::string shape;
    for (char c : message)
        if (!is_digit(c)) {
            shape += c;
        } else if (!shape.ends_with('#')) {
            shape += '#';
        }
    return shape;
}

// The longest piece that all messages of the shape hold, for a filter.
std::string_view common_piece(std::string_view shape) {
    std::string_view best;
    for (std::string_view piece : split(shape, '#'))
        if (piece.size() > best.size()) best = piece;
    return best;
}

void write_group(JsonWriter& json, const Group& group) {
    json.begin_object().field("type", group.type).field("error_type", group.error_type);
    json.field("message", group.message).field("reason", group.reason);
    json.field("count", group.count).field("newest_at", format_rfc3339(group.newest_ms));
    json.field("oldest_at", format_rfc3339(group.oldest_ms)).field("example", group.example);
    json.key("filter").begin_object().field("state", "dead").field("type", group.type);
    std::string_view piece = common_piece(group.message);
    if (piece.empty()) piece = group.error_type;
    if (!piece.empty()) json.field("error", piece);
    json.end_object().end_object();
}

class Groups {
  public:
    void add(const JobView& view) {
        Attempt last;
        if (!view.record.errors.empty()) last = view.record.errors.back();
        const std::string shape = message_shape(last.message);
        const std::array<std::string, 3> key{view.job.type, last.error_type, shape};
        auto found = groups_.find(key);
        if (found == groups_.end()) {
            if (groups_.size() >= kGroupsMax) {
                ++others_;
                return;
            }
            found = groups_.emplace(key, Group()).first;
            Group& fresh = found->second;
            fresh.type = view.job.type;
            fresh.error_type = last.error_type;
            fresh.message = shape;
            fresh.reason = view.record.reason;
            fresh.newest_ms = fresh.oldest_ms = view.at_ms;
            fresh.example = view.job.jid;
        }
        ++found->second.count;
        found->second.oldest_ms = std::min(found->second.oldest_ms, view.at_ms);
    }

    void write(JsonWriter& json) const {
        std::vector<const Group*> sorted;
        for (const auto& [key, group] : groups_)
            sorted.push_back(&group);
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const Group* a, const Group* b) { return a->count > b->count; });
        int64_t others = others_;
        json.key("groups").begin_array();
        for (size_t i = 0; i < sorted.size(); ++i) {
            if (i < kGroupsShown) {
                write_group(json, *sorted[i]);
            } else {
                others += sorted[i]->count;
            }
        }
        json.end_array().field("others", others);
    }

  private:
    std::map<std::array<std::string, 3>, Group> groups_;
    int64_t others_ = 0;
};

}  // namespace

task<Answer> dead_groups(ServerContext& context, std::string argument) {
    Request request(argument);
    ScanRequest scan;
    scan.state = State::dead;
    scan.filter = JobFilter::from(request);
    scan.newest_first = true;
    scan.limit = limits::kListPageMax;
    if (request.error()) co_return tl::unexpected<Error>(*request.error());
    Broker& broker = context.broker;
    auto stats = co_await broker.store().stats();
    if (!stats) co_return tl::unexpected<Error>(stats.error());
    const int64_t until = broker.reactor().now_ms() + limits::kScanMs;
    Groups groups;
    int64_t looked_at = 0;
    bool more = true;
    while (more) {
        auto page = co_await scan_jobs(broker, scan);
        if (!page) co_return tl::unexpected<Error>(page.error());
        for (const auto& view : page->jobs)
            groups.add(view);
        looked_at += page->looked_at;
        scan.cursor = page->next;
        if (scan.cursor.empty()) break;
        more = looked_at < limits::kScanJobs && broker.reactor().now_ms() < until;
    }
    JsonWriter json;
    json.begin_object();
    groups.write(json);
    json.field("looked_at", looked_at).field("total", std::max(stats->dead, looked_at));
    json.field("partial", !scan.cursor.empty()).end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
