// The verb `loadgen`: makes load, measures what jobqd does with it, and proves that no job was
// lost.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cli/base/interrupt.h"
#include "cli/enqueue/job_options.h"
#include "cli/enqueue/submit.h"
#include "cli/line/verb_list.h"
#include "cli/loadgen/load_ends.h"
#include "cli/loadgen/load_run.h"
#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--mode", "", "MODE", "push, drain or both (default: both)"},
    Option{"--jobs", "", "N", "number of jobs (default: 10000)"},
    Option{"--duration", "", "DURATION", "run for this long, instead of --jobs"},
    Option{"--clients", "", "N", "number of connections (default: 4)"},
    Option{"--window", "", "N", "requests in flight per connection (default: 1; with --rate: 64)"},
    Option{"--batch", "", "N", "jobs per request (default: 1)"},
    Option{"--rate", "", "N", "jobs per second, however long answers take"},
    Option{"--type", "", "NAME", "type of the jobs (default: noop)"},
    Option{"--queue", "", "NAME", "the queue (default: one of a pool that runs the type)",
           Takes::queue},
    Option{"--payload-size", "", "BYTES", "payload of each job (default: 100)"},
    Option{"--latency", "", "", "also measure starts and ends (default with --rate)",
           Takes::nothing},
    Option{"--no-check", "", "", "do not check for lost jobs afterwards", Takes::nothing},
};

constexpr int64_t kClientsMost = 1'000, kWindowMost = 10'000, kRateMost = 10'000'000;
constexpr int64_t kBatchMost = 10'000;
constexpr int kOpenWindow = 64;

template <class T>
Answer<> read_number(const Args& args, std::string_view name, int64_t least, int64_t most,
                     T& into) {
    const auto value = args.number(name, least, most);
    if (!value) return tl::unexpected(value.error());
    if (*value) into = T(**value);
    return {};
}

Answer<> read_mode(const Args& args, LoadPlan& plan) {
    if (!args.has("--mode")) return {};
    const std::string& word = args.text("--mode");
    if (word == "push") {
        plan.mode = LoadMode::push;
    } else if (word == "drain") {
        plan.mode = LoadMode::drain;
    } else if (word != "both") {
        return give_up(kUsage, "--mode: '" + printable(word) + "' is not push, drain or both");
    }
    return {};
}

// What goes together.
Answer<> check_plan(const Args& args, const LoadPlan& plan) {
    const bool drain = plan.mode == LoadMode::drain;
    if (args.has("--jobs") && args.has("--duration"))
        return give_up(kUsage, "--jobs and --duration can't be used together");
    if (plan.jobs == 0 && !drain)
        return give_up(
            kUsage,
            "--jobs: 0 is only valid with --mode drain, where it runs the jobs that wait already");
    if (drain && args.has("--duration"))
        return give_up(kUsage,
                       "--duration can't be used with --mode drain, which ends with its jobs");
    if (drain && plan.rate > 0)
        return give_up(kUsage, "--rate can't be used with --mode drain",
                       "drain first enqueues its jobs as fast as possible");
    if (args.has("--latency") && (plan.mode == LoadMode::push || plan.drains_what_is_there()))
        return give_up(kUsage,
                       "--latency requires jobs that this command enqueues and that run meanwhile",
                       "use --mode both, or --mode drain with --jobs N");
    if (auto good = check_type(plan.type); !good) return good;
    if (args.has("--queue"))
        if (auto good = check_name("--queue:", plan.queue); !good) return good;
    const LoadText text(plan, LoadIds(new_jid()));
    if (text.bytes_a_job() * size_t(plan.batch) + limits::kNameBytes > limits::kBulkLineBytes)
        return give_up(kUsage, "--batch: a request with that many jobs has more than " +
                                   std::to_string(limits::kBulkLineBytes) + " bytes");
    return {};
}

Answer<LoadPlan> read_plan(const Args& args) {
    LoadPlan plan;
    Answer<> good = read_mode(args, plan);
    if (good) good = read_number(args, "--jobs", 0, LoadIds::kMost, plan.jobs);
    if (good) good = read_number(args, "--clients", 1, kClientsMost, plan.clients);
    if (good) good = read_number(args, "--rate", 1, kRateMost, plan.rate);
    if (plan.rate > 0) plan.window = kOpenWindow;
    if (good) good = read_number(args, "--window", 1, kWindowMost, plan.window);
    if (good) good = read_number(args, "--batch", 1, kBatchMost, plan.batch);
    if (good)
        good = read_number(args, "--payload-size", 0, int64_t(limits::kPayloadBytes),
                           plan.payload_bytes);
    if (!good) return tl::unexpected(good.error());
    const auto duration = args.duration_ms("--duration");
    if (!duration) return tl::unexpected(duration.error());
    if (*duration) {
        if (**duration == 0) return give_up(kUsage, "--duration: must be longer than 0s");
        plan.duration_ms = **duration;
        plan.jobs = -1;
    }
    if (args.has("--type")) plan.type = args.text("--type");
    plan.queue = args.text("--queue");
    plan.check = !args.has("--no-check") && !plan.drains_what_is_there();
    plan.latency = args.has("--latency") || (plan.rate > 0 && plan.mode != LoadMode::push);
    if (good = check_plan(args, plan); !good) return tl::unexpected(good.error());
    return plan;
}

bool is_builtin(std::string_view type) {
    return type == "noop" || type == "echo" || type == "sleep" || type == "fail";
}

// For a built-in type the queue of a thread pool, if there is one that nobody else serves; else
// "default".
Answer<std::string> usual_queue(Client& client, const std::string& type, LoadMode mode) {
    const auto reply = client.call("STATS", "{}");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    std::vector<std::string> threads, others;
    for (const JsonView pool : JsonView(*reply)["pools"].items())
        for (const JsonView queue : pool["queues"].items())
            (pool["kind"].text() == "thread" ? threads : others).push_back(queue.text());
    if (is_builtin(type) && threads.empty() && mode != LoadMode::push)
        return give_up(kUsage,
                       "no pool of this jobqd runs jobs of the built-in type '" + type + "'",
                       "add [pool.load] with kind = \"thread\" and queues = [\"load\"] to its "
                       "configuration, or use --queue with the queue of a worker that runs them");
    if (!is_builtin(type) || threads.empty()) return "default";
    for (const auto& queue : threads)
        if (std::find(others.begin(), others.end(), queue) == others.end()) return queue;
    return threads.front();
}

Answer<int64_t> waiting_in(Client& client, const std::string& queue) {
    const auto reply = client.call(
        "QUEUES", JsonWriter::object().field("queues", std::vector<std::string>{queue}).done());
    if (!reply) return tl::unexpected(Failure(reply.error()));
    for (const JsonView one : JsonView(*reply)["queues"].items())
        if (one["name"].text() == queue) return one["size"].number();
    return 0;
}

// A queue that stands still while jobs are put in; whatever happens then, it goes on.
class Pause {
  public:
    explicit Pause(Client& client) : client_(client) {}

    ~Pause() {
        if (queue_.empty()) return;
        forget_interrupt();  // which ended the waiting, and must not end this
        if (!client_.alive() && !client_.reconnect(kConnectMs)) return;
        client_.call("RESUME", request(), kConnectMs);
    }

    Pause(const Pause&) = delete;

    Answer<> begin(const std::string& queue) {
        queue_ = queue;
        const auto paused = client_.call("PAUSE", request());
        if (!paused) return tl::unexpected(Failure(paused.error()));
        return {};
    }

    Answer<> end() {
        const auto resumed = client_.call("RESUME", request());
        if (!resumed) return tl::unexpected(Failure(resumed.error()));
        queue_.clear();
        return {};
    }

  private:
    std::string request() const {
        return JsonWriter::object().field("queues", std::vector<std::string>{queue_}).done();
    }

    Client& client_;
    std::string queue_;  // "" when it goes on
};

void note_cpu(LoadResult& result) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    result.user_us = int64_t(usage.ru_utime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec;
    result.system_us = int64_t(usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_stime.tv_usec;
}

class Load {
  public:
    Load(Invocation& invocation, Client control, LoadPlan plan)
        : invocation_(invocation),
          control_(std::move(control)),
          plan_(std::move(plan)),
          text_(plan_, LoadIds(new_jid())),
          progress_(invocation.out) {}

    Answer<int> run() {
        auto good = measure();
        note_cpu(result_);
        if (good && plan_.check && !result_.interrupted) {
            good = check_load(control_, plan_, text_.ids(), book_, result_, progress_);
            if (interrupted()) {
                result_.interrupted = true;
                good = {};
            }
        }
        progress_.clear();
        if (good || result_.acked > 0) print_load(invocation_.out, plan_, result_);
        if (!good) return tl::unexpected(good.error());
        if (result_.interrupted) return kInterrupted;
        return verdict();
    }

  private:
    Answer<> measure() {
        const Target target = invocation_.target();
        std::optional<LoadEvents> events;
        if (plan_.latency) {
            auto opened = LoadEvents::open(target, text_.ids(), book_, result_);
            if (!opened) return tl::unexpected(opened.error());
            events.emplace(std::move(*opened));
        }
        LoadEvents* const listener = events ? &*events : nullptr;
        const auto before = load_counts(control_);
        if (!before) return tl::unexpected(before.error());
        Pause pause(control_);
        if (plan_.mode == LoadMode::drain)
            if (auto good = pause.begin(plan_.queue); !good) return good;
        int64_t jobs = 0;
        int64_t start_us = monotonic_us();
        if (plan_.drains_what_is_there()) {
            const auto waiting = waiting_in(control_, plan_.queue);
            if (!waiting) return tl::unexpected(waiting.error());
            jobs = *waiting;
        } else {
            LoadRun run(plan_, text_, book_, result_, listener, progress_);
            if (auto good = run.connect(target); !good) return good;
            start_us = monotonic_us();
            if (auto good = run.push(); !good) return good;
            jobs = result_.acked;
        }
        if (result_.interrupted || plan_.mode == LoadMode::push) return {};
        if (plan_.mode == LoadMode::drain) {
            start_us = monotonic_us();
            if (auto good = pause.end(); !good) return good;
        }
        return wait_for_ends(control_, invocation_.out, result_, *before, jobs, start_us, listener,
                             progress_);
    }

    Answer<int> verdict() const {
        if (result_.lost > 0)
            return give_up(kJobFailed,
                           std::to_string(result_.lost) + " of " +
                               std::to_string(result_.looked_up) +
                               " acknowledged jobs are no longer known to jobqd",
                           "somebody removed them, their type keeps no records, or they were lost");
        if (result_.unfinished > 0)
            return give_up(kJobFailed,
                           std::to_string(result_.unfinished) + " jobs did not finish in time",
                           "`jobq list` and `jobq stats` show where they wait");
        return kDone;
    }

    Invocation& invocation_;
    Client control_;
    LoadPlan plan_;
    LoadText text_;
    LoadBook book_;
    LoadResult result_;
    LoadProgress progress_;
};

Answer<int> run_loadgen(Invocation& invocation) {
    auto plan = read_plan(invocation.args);
    if (!plan) return tl::unexpected(plan.error());
    auto control = invocation.connect();
    if (!control) return tl::unexpected(control.error());
    if (plan->queue.empty()) {
        auto queue = usual_queue(*control, plan->type, plan->mode);
        if (!queue) return tl::unexpected(queue.error());
        plan->queue = std::move(*queue);
    }
    const InterruptScope scope;
    return Load(invocation, std::move(*control), std::move(*plan)).run();
}

}  // namespace

const Verb kLoadgen{.name = "loadgen",
                    .usage = "",
                    .summary = "Generate load, measure it, and check that no job was lost",
                    .examples =
                        "jobq loadgen --jobs 100000 --batch 100\n"
                        "jobq loadgen --rate 500 --duration 30s\n"
                        "jobq loadgen --mode drain --jobs 50000 -o json",
                    .options = kOptions,
                    .more = {},
                    .run = run_loadgen};

}  // namespace jobq::cli
