// The limit of the data path, and jobq's share of it: the barest scripts that could carry a job
// through Redis with fsync (one blob a job, variadic commands, several calls in flight), and, on
// the same server in the same run, jobq's own scripts through RedisStore. Figures: jobs/s of the
// bare ones, and microseconds of Redis CPU per job of both.
//
//   bench_redis [--jobs N] [--batch N] [--rounds N]
#include <hiredis/hiredis.h>

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/base/id.h"
#include "core/job/codec.h"
#include "core/store/redis/redis_store.h"
#include "tests/bench/bench_kit.h"
#include "tests/support/builders.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"
#include "tests/support/sync_link.h"

namespace jobq::bench {
namespace {

using nlohmann::json;
using test::run_task;

constexpr const char* kBareEnqueue = R"(
local ids, n = {}, tonumber(ARGV[1])
for i = 1, n do ids[i] = ARGV[2 * i] end
redis.call('HSET', KEYS[1] .. 'j', unpack(ARGV, 2))
redis.call('LPUSH', KEYS[1] .. 'q', unpack(ids))
redis.call('HINCRBY', KEYS[1] .. 'stat', 'enqueued', n)
return n)";

constexpr const char* kBareFetch = R"(
local ids = redis.call('RPOP', KEYS[1] .. 'q', tonumber(ARGV[1]))
if not ids then return {} end
local envelopes, held = redis.call('HMGET', KEYS[1] .. 'j', unpack(ids)), {}
for i, id in ipairs(ids) do
    held[2 * i - 1], held[2 * i] = id, ARGV[2]
end
redis.call('HSET', KEYS[1] .. 'run', unpack(held))
return {ids, envelopes})";

// The record is as long as jobq's of a noop.
constexpr const char* kBareFinish = R"(
local ids, n = {}, tonumber(ARGV[1])
for i = 1, n do ids[i] = ARGV[2 * i] end
if redis.call('HDEL', KEYS[1] .. 'run', unpack(ids)) ~= n then return -1 end
redis.call('HDEL', KEYS[1] .. 'j', unpack(ids))
redis.call('HSET', KEYS[1] .. 'done:1', unpack(ARGV, 2))
redis.call('HINCRBY', KEYS[1] .. 'stat', 'succeeded', n)
return n)";

struct Sizes {
    int64_t jobs, batch;
};

struct Measured {
    double seconds = 0, redis_s = 0;
};

// Runs `body` and measures it and what Redis spent meanwhile.
Measured measure(const test::RedisServer& server, const std::function<void()>& body) {
    const double cpu = cpu_s(server.pid()), begin = now_s();
    body();
    return {now_s() - begin, cpu_s(server.pid()) - cpu};
}

void print(const std::string& name, const Sizes& sizes, const Measured& measured) {
    print_figure({{"name", name},
                  {"jobs_per_s", double(sizes.jobs) / measured.seconds},
                  {"redis_us_per_job", measured.redis_s / double(sizes.jobs) * 1e6},
                  {"batch", sizes.batch}});
}

// A pipeline of EVALSHA calls with a few in flight.
class Bare {
  public:
    explicit Bare(const test::RedisServer& server)
        : context_(redisConnectUnix(server.socket_path().c_str()), redisFree) {
        if (!context_ || context_->err) throw std::runtime_error("can't connect to Redis");
    }

    std::string load(const char* script) {
        auto* reply =
            static_cast<redisReply*>(redisCommand(context_.get(), "SCRIPT LOAD %s", script));
        if (!reply || reply->type != REDIS_REPLY_STRING)
            throw std::runtime_error("Redis refused a script");
        std::string sha(reply->str, reply->len);
        freeReplyObject(reply);
        return sha;
    }

    void send(const std::vector<std::string>& words) {
        std::vector<const char*> texts;
        std::vector<size_t> sizes;
        for (const auto& word : words) {
            texts.push_back(word.data());
            sizes.push_back(word.size());
        }
        redisAppendCommandArgv(context_.get(), int(words.size()), texts.data(), sizes.data());
        int written = 0;
        while (!written)
            if (redisBufferWrite(context_.get(), &written) != REDIS_OK)
                throw std::runtime_error("Redis has gone");
    }

    // The reply to the oldest call.
    std::shared_ptr<redisReply> receive() {
        void* reply = nullptr;
        if (redisGetReply(context_.get(), &reply) != REDIS_OK)
            throw std::runtime_error("Redis has gone");
        std::shared_ptr<redisReply> owned(static_cast<redisReply*>(reply), freeReplyObject);
        if (owned->type == REDIS_REPLY_ERROR) throw std::runtime_error(owned->str);
        return owned;
    }

    // `call(i)` gives the words of call i; `kInFlight` of them are on their way at a time.
    void pump(int64_t calls, const std::function<std::vector<std::string>(int64_t)>& call,
              const std::function<void(const redisReply&)>& seen) {
        constexpr int64_t kInFlight = 4;
        for (int64_t i = 0; i < calls + kInFlight; ++i) {
            if (i >= kInFlight) seen(*receive());
            if (i < calls) send(call(i));
        }
    }

  private:
    std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

std::vector<std::string> evalsha(const std::string& sha, std::vector<std::string> args) {
    std::vector<std::string> words{"EVALSHA", sha, "1", "bare:"};
    words.insert(words.end(), args.begin(), args.end());
    return words;
}

// The record of a noop that succeeded.
std::string noop_record() {
    FinalRecord record;
    record.type = "noop";
    record.queue = "default";
    record.worker = "default";
    record.created_ms = record.started_ms = record.finished_ms = 1'790'000'000'000;
    record.attempts = 1;
    return encode_final(record);
}

void bare_life(const test::RedisServer& server, const Sizes& sizes, const Job& sample) {
    Bare redis(server);
    const std::string enqueue = redis.load(kBareEnqueue), fetch = redis.load(kBareFetch),
                      finish = redis.load(kBareFinish);
    const std::string blob = encode_job(sample, false), record = noop_record();
    const auto id_of = [](int64_t i) {
        char id[40];
        std::snprintf(id, sizeof id, "01KB7D3V9GQ2J5%012ld", long(i));
        return std::string(id);
    };
    const int64_t calls = sizes.jobs / sizes.batch;
    const auto pairs = [&](int64_t call, const std::string& value) {
        std::vector<std::string> words{std::to_string(sizes.batch)};
        for (int64_t i = call * sizes.batch; i < (call + 1) * sizes.batch; ++i) {
            words.push_back(id_of(i));
            words.push_back(value);
        }
        return words;
    };
    print("bare enqueue", sizes, measure(server, [&] {
              redis.pump(
                  calls, [&](int64_t i) { return evalsha(enqueue, pairs(i, blob)); },
                  [](const redisReply&) {});
          }));
    const std::vector<std::string> take{std::to_string(sizes.batch),
                                        "1a2b3c4d5e6f-1 1790000000000"};
    // Two fetches on their way, each answer at once followed by its finish.
    const auto drain = measure(server, [&] {
        std::deque<bool> fetches;  // of the calls on their way, oldest first
        int64_t asked = 0, ended = 0;
        const auto ask = [&] {
            if (asked == calls) return;
            ++asked;
            redis.send(evalsha(fetch, take));
            fetches.push_back(true);
        };
        ask();
        ask();
        while (ended < calls) {
            const auto reply = redis.receive();
            const bool was_fetch = fetches.front();
            fetches.pop_front();
            if (!was_fetch) {
                ++ended;
                continue;
            }
            if (reply->elements != 2) throw std::runtime_error("the queue ran dry");
            const redisReply& jids = *reply->element[0];
            std::vector<std::string> done{std::to_string(jids.elements)};
            for (size_t i = 0; i < jids.elements; ++i) {
                done.emplace_back(jids.element[i]->str, jids.element[i]->len);
                done.push_back(record);
            }
            ask();
            redis.send(evalsha(finish, done));
            fetches.push_back(false);
        }
    });
    print("bare drain", sizes, drain);
}

template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text);
    return std::move(*result);
}

void jobq_life(const test::RedisServer& server, const Sizes& sizes, const Job& sample) {
    test::TestReactor reactor;
    test::SyncLink link(server.socket_path());
    RedisStore store(reactor, link, Keys("bench"), {});
    if (!run_task(reactor, store.open())) throw std::runtime_error("the store does not open");
    const int64_t calls = sizes.jobs / sizes.batch;
    IdMaker ids;
    const Types types = types_of({"noop"});
    print("jobq enqueue", sizes, measure(server, [&] {
              for (int64_t i = 0; i < calls; ++i) {
                  std::vector<Job> jobs(size_t(sizes.batch), sample);
                  for (auto& job : jobs)
                      job.jid = ids.next(reactor.wall_ms());
                  value_of(run_task(reactor, store.enqueue(std::move(jobs))));
              }
          }));
    Measured fetch, finish;
    const auto add = [](Measured& sum, const Measured& more) {
        sum.seconds += more.seconds;
        sum.redis_s += more.redis_s;
    };
    for (int64_t i = 0; i < calls; ++i) {
        std::vector<Leased> leases;
        add(fetch, measure(server, [&] {
                FetchRequest request;
                request.owner = "pool:default:1a2b3c4d5e6f";
                request.queues = {"default"};
                request.count = int(sizes.batch);
                request.types = types;
                leases = value_of(run_task(reactor, store.fetch(std::move(request))));
            }));
        std::vector<Finish> ends;
        for (const auto& lease : leases) {
            Finish end = test::an_end("pool:default:1a2b3c4d5e6f", lease, Move::succeed);
            end.final.type = "noop";
            end.final.queue = end.final.worker = "default";
            end.final.created_ms = end.final.started_ms = end.final.finished_ms = reactor.wall_ms();
            ends.push_back(std::move(end));
        }
        add(finish, measure(server, [&] {
                for (const auto& end : value_of(run_task(reactor, store.finish(std::move(ends)))))
                    if (!end) throw std::runtime_error(end.error().text);
            }));
    }
    print("jobq fetch", sizes, fetch);
    print("jobq finish", sizes, finish);
}

}  // namespace
}  // namespace jobq::bench

int main(int argc, char** argv) {
    using namespace jobq;
    const bench::Sizes sizes{bench::option(argc, argv, "jobs", 100'000),
                             bench::option(argc, argv, "batch", 500)};
    Job sample;
    sample.type = "noop";
    sample.args = "[\"" + std::string(96, 'x') + "\"]";  // 100 bytes
    sample.created_ms = 1'790'000'000'000;
    for (int64_t round = 0; round < bench::option(argc, argv, "rounds", 1); ++round) {
        test::RedisServerOptions options;
        options.fsync = true;
        const test::RedisServer server(options);
        bench::bare_life(server, sizes, sample);
        bench::jobq_life(server, sizes, sample);
    }
}
