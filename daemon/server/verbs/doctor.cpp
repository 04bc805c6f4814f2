// JOBQ DOCTOR: the store is gone through page by page; with "fix" what is wrong is repaired. A
// stream: messages with findings or progress, then one with "end". Memory stays flat: a client that
// does not read holds the doctor up.
#include <algorithm>

#include "core/json/writer.h"
#include "daemon/observe/log.h"
#include "daemon/server/verbs/handlers.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr int64_t kProgressMs = 200;
constexpr int64_t kLogged = 1'000;  // findings in the log; the client gets them all

const FindingKind* kind_of(const Finding& finding) {
    for (const auto& kind : kFindings)
        if (kind.name == finding.kind) return &kind;
    return nullptr;
}

void write_page(JsonWriter& json, const CheckPage& page) {
    json.begin_object().key("findings").begin_array();
    for (const auto& finding : page.findings) {
        json.begin_object().field("kind", finding.kind).field("what", finding.what);
        json.field("where", finding.where).field("fixed", finding.fixed);
        if (const FindingKind* kind = kind_of(finding))
            json.field("means", kind->means).field("repair", kind->repair);
        json.end_object();
    }
    json.end_array().field("looked_at", page.looked_at).field("expected", page.expected);
}

// Jobs of an owner that was not known: if nobody here is it, its jobs are taken back.
task<void> settle_owner(Broker& broker, std::string owner) {
    const bool ours = broker.names().is_mine(owner);
    const bool shared = broker.current().has_shared_store();  // it may be another daemon's
    if (ours || shared || owner == kFaktoryOwner || broker.workers().by_owner(owner)) co_return;
    if (owner.starts_with("w:")) {
        // A runner that may come back: its lease runs from now on.
        auto worker = broker.workers().meet(owner.substr(2));
        worker->owner = owner;
        if (worker->kind == WorkerKind::faktory) worker->kind = WorkerKind::runner;
        co_return;
    }
    std::string why = "jobq doctor found that no worker runs it";
    co_await broker.leases().reap(std::move(owner), std::move(why));
}

// What the rest of the daemon has to know of repairs.
task<void> tell(Broker& broker, std::vector<Finding> findings, int64_t* logged) {
    for (const auto& finding : findings) {
        if (++*logged <= kLogged)
            log(LogLevel::warn, finding.fixed ? "doctor.repaired" : "doctor.found",
                std::string(kind_of(finding) ? kind_of(finding)->means : ""),
                {{"kind", finding.kind}, {"what", finding.what}, {"where", finding.where}});
        if (!finding.fixed || finding.kind != "no_owner") continue;
        std::string owner = finding.what;
        co_await settle_owner(broker, std::move(owner));
    }
    const bool any_fixed = std::any_of(findings.begin(), findings.end(),
                                       [](const Finding& finding) { return finding.fixed; });
    if (!any_fixed) co_return;
    broker.waiters().notify_all();
    broker.hints().take("");  // the schedule may have more
}

}  // namespace

task<void> doctor(Session& session, std::string argument) {
    Request request(argument);
    const bool fix = request.flag("fix");
    if (request.error()) {
        session.reply_error(*request.error());
        co_return;
    }
    Broker& broker = session.broker();
    auto checkup = broker.store().checkup(fix);
    int64_t found = 0, logged = 0, sent_ms = broker.reactor().now_ms();
    while (!session.closed()) {
        auto page = co_await checkup->next();
        if (!page) {
            session.reply_error(page.error());
            co_return;
        }
        found += int64_t(page->findings.size());
        const int64_t now = broker.reactor().now_ms();
        if (!page->findings.empty() || page->over || now - sent_ms >= kProgressMs) {
            JsonWriter json;
            write_page(json, *page);
            if (page->over)
                json.field("end", true).field("found", found).field("cut_short", page->cut_short);
            json.end_object();
            session.reply_bulk(json.take());
            sent_ms = now;
        }
        const bool over = page->over;
        if (!page->findings.empty()) co_await tell(broker, std::move(page->findings), &logged);
        if (over) co_return;
        co_await session.drained();
    }
}

}  // namespace jobq::verbs
