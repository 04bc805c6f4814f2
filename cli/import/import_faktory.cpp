// The verb `import faktory`: a Faktory store's jobs come over to jobqd, each in the state it was
// in.
//
// The source is only read. Pages on one side, batches on the other: memory is flat. Every jid is
// stored once (the daemon keeps marks), so a batch whose answer was lost is sent again, and so may
// the whole import be.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "cli/base/interrupt.h"
#include "cli/base/payload_check.h"
#include "cli/import/import_report.h"
#include "cli/import/redis_dump.h"
#include "cli/import/redis_source.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq::cli {
namespace {

constexpr int64_t kPage = 100;
constexpr size_t kBatchJobs = 500, kBatchBytes = 2 << 20;
constexpr int64_t kComeBackMs = 30'000;
// What Faktory adds to now for the score of a dead job.
constexpr int64_t kFaktoryDeadMs = 180LL * 24 * 3'600'000;

constexpr std::array kOptions{
    Option{"--redis", "", "SOCKET|HOST:PORT|FILE", "Faktory's Redis, or its dump faktory.rdb",
           Takes::file},
    Option{"--dry-run", "", "", "show what would be done", Takes::nothing},
    Option{"--timeout", "", "DURATION", "time limit for reading a dump; exit status 124"},
};

struct Item {
    std::string jid;
    std::string json;  // of JOBQ IMPORT
};

class FaktoryImport {
  public:
    FaktoryImport(RedisSource source, Client client, bool dry_run)
        : source_(std::move(source)), client_(std::move(client)) {
        report_.dry_run = dry_run;
    }

    Answer<ImportReport> run(const std::string& shown);

  private:
    Answer<> read_set(const std::string& key, const char* state);
    Answer<> read_queues();
    Answer<> read_list(const std::string& key, const std::string& queue);
    Answer<> read_working();
    Answer<> pause_queues();
    Answer<> add(std::string_view payload, const char* state, int64_t at_ms);
    Answer<> add_reserved(const std::string& entry);
    Answer<> flush();
    Answer<> send(std::vector<Item> items);
    Answer<> count_answers(const std::vector<Item>& items, const std::string& reply);
    Answer<bool> is_kind(const std::string& key, const char* kind);
    Answer<> check_same(const std::string& command, const std::string& key, int64_t before);
    void begin(std::string kind, std::string queue = {});

    ImportSet& set() { return report_.sets.back(); }

    RedisSource source_;
    Client client_;
    ImportReport report_;
    std::vector<Item> batch_;
    size_t batch_bytes_ = 0;
};

void FaktoryImport::begin(std::string kind, std::string queue) {
    report_.sets.push_back({std::move(kind), std::move(queue)});
}

Answer<bool> FaktoryImport::is_kind(const std::string& key, const char* kind) {
    const auto type = source_.text({"TYPE", key});
    if (!type) return tl::unexpected(type.error());
    return *type == kind;
}

Answer<> FaktoryImport::check_same(const std::string& command, const std::string& key,
                                   int64_t before) {
    const auto after = source_.number({command, key});
    if (!after) return tl::unexpected(after.error());
    if (*after != before) report_.changed.push_back(set().label());
    return {};
}

Answer<> FaktoryImport::add(std::string_view payload, const char* state, int64_t at_ms) {
    PayloadLimits limit;
    limit.what = "it";
    limit.bytes = limits::kLineBytes;
    limit.depth = limits::kJsonDepth + 2;
    limit.one_line = true;
    const auto checked = check_payload(payload, limit);
    const JsonView job(payload);
    if (!checked || !job.is_object()) {
        report_.refuse(set(), "", checked ? "it is not a JSON object" : checked.error().text);
        return {};
    }
    auto request = JsonWriter::object();
    request.field("state", state);
    if (at_ms != 0) request.field("at_ms", at_ms);
    std::string raw(payload);
    std::replace(raw.begin(), raw.end(), '\n', ' ');
    Item item{to_utf8(job["jid"].text()), request.raw("job", raw).done()};
    batch_bytes_ += item.json.size();
    batch_.push_back(std::move(item));
    if (batch_.size() < kBatchJobs && batch_bytes_ < kBatchBytes) return {};
    return flush();
}

Answer<> FaktoryImport::flush() {
    std::vector<Item> items;
    items.swap(batch_);
    batch_bytes_ = 0;
    if (items.empty()) return {};
    return send(std::move(items));
}

Answer<> FaktoryImport::count_answers(const std::vector<Item>& items, const std::string& reply) {
    const JsonView answer(reply);
    const auto jobs = answer["jobs"].items();
    if (jobs.size() != items.size())
        return give_up(info(ErrorCode::internal).exit_status,
                       "the answer of jobqd does not match the request");
    for (size_t i = 0; i < items.size(); ++i) {
        if (jobs[i]["error"].exists()) {
            report_.refuse(set(), items[i].jid, jobs[i]["text"].text());
        } else {
            ++(jobs[i]["how"].text() == "stored" ? set().stored : set().known);
        }
    }
    return {};
}

// One bad job can spoil a whole request (a number beyond 64 bits): then it is found by halves.
Answer<> FaktoryImport::send(std::vector<Item> items) {
    std::string request = report_.dry_run ? "{\"dry_run\":true,\"jobs\":[" : "{\"jobs\":[";
    for (size_t i = 0; i < items.size(); ++i)
        request += (i == 0 ? "" : ",") + items[i].json;
    request += "]}";
    const int64_t until = monotonic_ms() + kComeBackMs;
    while (true) {
        const auto reply = client_.call("IMPORT", request);
        if (reply) return count_answers(items, *reply);
        const ErrorCode code = reply.error().code;
        if (interrupted())
            return give_up(kInterrupted, "interrupted; run the same command again to continue");
        if (info(code).retryable && monotonic_ms() < until) {
            sleep_until(monotonic_ms() + 200);
            if (client_.alive()) continue;
            const auto back = client_.reconnect(kComeBackMs);
            if (!back) return tl::unexpected(Failure(back.error()));
            continue;
        }
        const bool data = code == ErrorCode::bad_data || code == ErrorCode::too_large ||
                          (code == ErrorCode::invalid && items.size() == 1);
        if (!data) return tl::unexpected(Failure(reply.error()));
        if (items.size() == 1) {
            report_.refuse(set(), items[0].jid, reply.error().text);
            return {};
        }
        const auto middle = items.begin() + std::ptrdiff_t(items.size() / 2);
        auto first = send(std::vector<Item>(items.begin(), middle));
        if (!first) return first;
        return send(std::vector<Item>(middle, items.end()));
    }
}

Answer<> FaktoryImport::read_set(const std::string& key, const char* state) {
    begin(key);
    const auto count = source_.number({"ZCARD", key});
    if (!count) return tl::unexpected(count.error());
    set().found = *count;
    const bool dead = std::string_view(state) == "dead";
    for (int64_t at = 0;; at += kPage) {
        const auto rows = source_.texts(
            {"ZRANGE", key, std::to_string(at), std::to_string(at + kPage - 1), "WITHSCORES"});
        if (!rows) return tl::unexpected(rows.error());
        if (rows->empty()) break;
        for (size_t i = 0; i + 1 < rows->size(); i += 2) {
            int64_t due = std::llround(std::strtod((*rows)[i + 1].c_str(), nullptr) * 1000);
            if (dead) due = std::clamp<int64_t>(due - kFaktoryDeadMs, 1, wall_ms());
            const auto added = add((*rows)[i], state, std::max<int64_t>(due, 1));
            if (!added) return added;
        }
        if (interrupted())
            return give_up(kInterrupted, "interrupted; run the same command again to continue");
    }
    if (auto sent = flush(); !sent) return sent;
    return check_same("ZCARD", key, *count);
}

// The right end of a list is next, so pages come from there.
Answer<> FaktoryImport::read_list(const std::string& key, const std::string& queue) {
    const auto count = source_.number({"LLEN", key});
    if (!count) return tl::unexpected(count.error());
    if (set().queue != queue || set().kind != "queue") begin("queue", queue);
    set().found += *count;
    for (int64_t at = 0; at < *count; at += kPage) {
        auto rows =
            source_.texts({"LRANGE", key, std::to_string(-at - kPage), std::to_string(-at - 1)});
        if (!rows) return tl::unexpected(rows.error());
        if (rows->empty()) break;
        for (auto row = rows->rbegin(); row != rows->rend(); ++row) {
            const auto added = add(*row, "ready", 0);
            if (!added) return added;
        }
        if (interrupted())
            return give_up(kInterrupted, "interrupted; run the same command again to continue");
    }
    if (auto sent = flush(); !sent) return sent;
    return check_same("LLEN", key, *count);
}

// "q:NAME" since Faktory 1.10, the bare name before.
Answer<> FaktoryImport::read_queues() {
    auto names = source_.texts({"SMEMBERS", "queues"});
    if (!names) return tl::unexpected(names.error());
    std::sort(names->begin(), names->end());
    for (const auto& name : *names) {
        for (const auto& key : {"q:" + name, name}) {
            const auto is_list = is_kind(key, "list");
            if (!is_list) return tl::unexpected(is_list.error());
            if (!*is_list) continue;
            if (auto read = read_list(key, name); !read) return read;
        }
    }
    return {};
}

// A worker may run it still, and nobody tells us of its end: until its reservation is over it is
// not given to another, as Faktory would do.
Answer<> FaktoryImport::add_reserved(const std::string& entry) {
    const bool good = check_payload(entry).has_value() && JsonView(entry).is_object();
    const JsonView view(entry);
    if (!good || !view["job"].is_object()) {
        report_.refuse(set(), "", "it is not the reservation of a job");
        return {};
    }
    const int64_t until = parse_rfc3339_ms(view["expires_at"].text()).value_or(0);
    const bool waits = until > wall_ms();
    return add(view["job"].raw(), waits ? "scheduled" : "ready", waits ? until : 0);
}

Answer<> FaktoryImport::read_working() {
    begin("working");
    const auto count = source_.number({"ZCARD", "working"});
    if (!count) return tl::unexpected(count.error());
    set().found = *count;
    for (int64_t at = 0;; at += kPage) {
        const auto rows = source_.texts(
            {"ZRANGE", "working", std::to_string(at), std::to_string(at + kPage - 1)});
        if (!rows) return tl::unexpected(rows.error());
        if (rows->empty()) break;
        for (const auto& row : *rows)
            if (auto added = add_reserved(row); !added) return added;
    }
    if (auto sent = flush(); !sent) return sent;
    return check_same("ZCARD", "working", *count);
}

// Before their jobs come, or those would run at once.
Answer<> FaktoryImport::pause_queues() {
    auto names = source_.texts({"SMEMBERS", "paused"});
    if (!names) return tl::unexpected(names.error());
    std::sort(names->begin(), names->end());
    report_.paused = *names;
    if (names->empty() || report_.dry_run) return {};
    const auto done = client_.call("PAUSE", JsonWriter::object().field("queues", *names).done());
    if (!done) return tl::unexpected(Failure(done.error()));
    return {};
}

// From where jobs go to where they go: one that moves meanwhile is met at least once.
Answer<ImportReport> FaktoryImport::run(const std::string& shown) {
    report_.source = shown;
    const auto processed = source_.number({"GET", "processed"});
    const auto failures = source_.number({"GET", "failures"});
    if (!processed || !failures)
        return tl::unexpected(processed ? failures.error() : processed.error());
    report_.processed = *processed;
    report_.failures = *failures;
    if (auto paused = pause_queues(); !paused) return tl::unexpected(paused.error());
    if (auto read = read_set("scheduled", "scheduled"); !read) return tl::unexpected(read.error());
    if (auto read = read_set("retries", "retrying"); !read) return tl::unexpected(read.error());
    if (auto read = read_queues(); !read) return tl::unexpected(read.error());
    if (auto read = read_working(); !read) return tl::unexpected(read.error());
    if (auto read = read_set("dead", "dead"); !read) return tl::unexpected(read.error());
    return std::move(report_);
}

Answer<RedisSource> open_source(const std::string& given, std::optional<int64_t> limit_ms,
                                std::unique_ptr<RedisDump>& dump) {
    const std::string where = given.starts_with("unix:") ? given.substr(5) : given;

    struct stat found {};

    const bool there = ::stat(where.c_str(), &found) == 0;
    if (there && S_ISSOCK(found.st_mode)) {
        auto socket = unix_endpoint(where);
        if (!socket) return give_up(kUsage, "--redis: " + socket.error().text);
        return RedisSource::open(*socket);
    }
    if (there && S_ISREG(found.st_mode)) {
        auto served = RedisDump::serve(where, limit_ms);
        if (!served) return tl::unexpected(served.error());
        dump = std::move(*served);
        return RedisSource::open(unix_endpoint(dump->socket()).value());
    }
    const auto tcp = parse_tcp_listen(where);
    if (std::filesystem::is_directory(where))
        return give_up(kNoInput, "--redis: '" + printable(where) + "' is a directory",
                       "name the socket redis.sock or the file faktory.rdb in it");
    if (!tcp || tcp->port == 0)
        return give_up(
            kNoInput, "--redis: '" + printable(where) + "' does not exist",
            "name the socket of Faktory's Redis, its HOST:PORT, or its file faktory.rdb");
    return RedisSource::open(*tcp);
}

Answer<int> run_import(Invocation& invocation) {
    const Args& args = invocation.args;
    if (!args.has("--redis"))
        return give_up(kUsage, "`jobq import faktory` needs --redis, the place of Faktory's store",
                       "jobq import faktory --redis /var/lib/faktory/db/redis.sock, or --redis "
                       "/var/lib/faktory/db/faktory.rdb");
    const InterruptScope scope;
    std::unique_ptr<RedisDump> dump;
    const auto limit = args.duration_ms("--timeout");
    if (!limit) return tl::unexpected(limit.error());
    auto source = open_source(args.text("--redis"), *limit, dump);
    if (!source) return tl::unexpected(source.error());
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    FaktoryImport import(std::move(*source), std::move(*client), args.has("--dry-run"));
    const auto report = import.run(args.text("--redis"));
    if (!report) return tl::unexpected(report.error());
    report->print(invocation.out);
    return report->refused() > 0 ? kJobFailed : kDone;
}

}  // namespace

const Verb kImportFaktory{
    .name = "import faktory",
    .usage = "",
    .summary = "Import the jobs of a Faktory store, each of them once",
    .examples =
        "jobq import faktory --redis /var/lib/faktory/db/redis.sock --dry-run\n"
        "jobq import faktory --redis /var/lib/faktory/db/faktory.rdb",
    .options = kOptions,
    .more = {},
    .run = run_import};

}  // namespace jobq::cli
