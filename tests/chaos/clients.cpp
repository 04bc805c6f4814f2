// See clients.h.
#include "tests/chaos/clients.h"

#include <chrono>
#include <functional>

#include "core/base/time.h"
#include "tests/chaos/witness.h"

namespace jobq::chaos {
namespace {

using nlohmann::json;

bool is_cut(const std::string& reply) {
    return reply.starts_with("(");
}

// One job that a producer is about to send.
struct Draft {
    std::string jid, queue, key, payload;
    int64_t run_at_ms = 0;  // wall
    int max_attempts = kTypeAttempts;
};

// What producers and workers share: the link, and the record of calls.
class Client {
  public:
    Client(History& history, const Traffic& traffic, std::string socket, std::string hello)
        : history_(history),
          traffic_(traffic),
          socket_(std::move(socket)),
          hello_(std::move(hello)) {}

    bool connected() {
        if (!wire_) wire_ = connect(socket_, hello_);
        return wire_ != nullptr;
    }

    std::string ask(const std::string& line) {
        if (!wire_) return "(not connected)";
        const bool sent = wire_->send(line + "\r\n");
        std::string reply = sent ? wire_->reply(traffic_.reply_ms) : "(not sent)";
        if (is_cut(reply)) wire_.reset();
        return reply;
    }

  protected:
    History& history_;
    const Traffic& traffic_;

  private:
    const std::string socket_, hello_;
    std::unique_ptr<test::Wire> wire_;
};

class Producer : public Client {
  public:
    Producer(History& history, const Traffic& traffic, std::string socket, uint64_t seed)
        : Client(history, traffic, std::move(socket), R"({"v":2,"jobq":1})"), random_(seed) {}

    void produce() {
        const int kind = below(100);
        if (kind < traffic_.bulk) return push_bulk(below(6) + 2);
        if (kind < traffic_.bulk + traffic_.keyed) return enqueue_keyed();
        push(draft());
    }

    int below(int limit) { return limit > 0 ? int(random_() % uint64_t(limit)) : 0; }

  private:
    Draft draft() {
        Draft draft;
        draft.jid = history_.fresh("job-");
        draft.queue = traffic_.queues[size_t(below(int(traffic_.queues.size())))];
        json plan{{"do", "ok"}};
        plan["ms"] = below(8) == 0 ? below(traffic_.long_ms) : below(traffic_.job_ms);
        if (below(100) < traffic_.failing) {
            draft.max_attempts = below(3) ? kTypeAttempts : 1;
            if (below(4) == 0)
                plan["do"] = "fail";
            else
                plan["fail_first"] = 1 + below(2);
        }
        if (traffic_.padding) plan["pad"] = std::string(traffic_.padding, char('a' + below(26)));
        draft.payload = plan.dump();
        if (below(100) < traffic_.delayed)
            draft.run_at_ms = wall_ms() + 200 + below(traffic_.delay_ms);
        return draft;
    }

    void note(const Draft& draft) {
        JobSpec spec;
        spec.max_attempts = draft.max_attempts;
        spec.checksum = checksum_of(draft.payload);
        spec.key = draft.key;
        if (draft.run_at_ms)
            spec.run_at_us = monotonic_us() + (draft.run_at_ms - wall_ms()) * 1000 - 1000;
        history_.add_job(draft.jid, std::move(spec));
    }

    // Without `retry` the type's attempts and its short pauses between them count; see the rig.
    static std::string push_json(const Draft& draft) {
        std::string text = R"({"jid":")" + draft.jid + R"(","jobtype":"chaos","queue":")" +
                           draft.queue + R"(","reserve_for":15,"args":[)" + draft.payload + "]";
        if (draft.max_attempts == 1) text += R"(,"retry":-1)";
        if (draft.run_at_ms) text += R"(,"at":")" + format_rfc3339(draft.run_at_ms) + "\"";
        return text + "}";
    }

    void push(const Draft& draft) {
        note(draft);
        Call call{Call::Kind::enqueue, Outcome::info, draft.jid, monotonic_us(), 0, "", ""};
        const std::string reply = ask("PUSH " + push_json(draft));
        call.returned_us = monotonic_us();
        call.outcome = outcome_of(reply);
        call.text = reply;
        history_.add(std::move(call));
    }

    void push_bulk(int count) {
        std::vector<Draft> drafts;
        std::string line = "PUSHB [";
        for (int i = 0; i < count; ++i) {
            drafts.push_back(draft());
            note(drafts.back());
            line += (i ? "," : "") + push_json(drafts.back());
        }
        const int64_t invoked_us = monotonic_us();
        const std::string reply = ask(line + "]");
        const auto refused = json::parse(reply, nullptr, false);
        for (const auto& draft : drafts) {
            Call call{Call::Kind::enqueue,
                      outcome_of(reply),
                      draft.jid,
                      invoked_us,
                      monotonic_us(),
                      "",
                      reply};
            if (refused.is_object() && refused.contains(draft.jid))
                call.outcome = Outcome::fail;
            else if (!refused.is_object() && call.outcome == Outcome::ok)
                call.outcome = Outcome::info;  // an answer that can't be read
            history_.add(std::move(call));
        }
    }

    // The same key again, under another id, until there is an answer: one of them runs.
    void enqueue_keyed() {
        Draft one = draft();
        one.queue =
            "local";  // ENQUEUE names no lease for a Faktory worker: it would be half an hour
        one.key = history_.fresh("key-");
        for (int tries = 0; tries < 4 && connected(); ++tries) {
            if (tries) one.jid = history_.fresh("job-");
            // One in four once more, although there was an answer.
            if (enqueue(one) && below(4)) return;
        }
    }

    // Whether there was an answer.
    bool enqueue(const Draft& draft) {
        note(draft);
        json request{{"type", "chaos"},      {"payload_text", draft.payload},
                     {"queue", draft.queue}, {"max_attempts", draft.max_attempts},
                     {"jid", draft.jid},     {"idempotency_key", draft.key}};
        if (draft.run_at_ms) request["run_at"] = format_rfc3339(draft.run_at_ms);
        Call call{Call::Kind::enqueue, Outcome::info, draft.jid, monotonic_us(), 0, "", ""};
        const std::string reply = ask("JOBQ ENQUEUE " + request.dump());
        call.returned_us = monotonic_us();
        call.text = reply;
        call.outcome = outcome_of(reply);
        const auto answer = json::parse(reply, nullptr, false);
        const std::string stored = answer.is_object() ? answer.value("jid", "") : "";
        if (call.outcome == Outcome::ok && stored != draft.jid) {
            // Another one has the key: this one is not there.
            Call other = call;
            other.jid = stored;
            history_.add(std::move(other));
            call.outcome = Outcome::fail;
        }
        const bool answered = call.outcome != Outcome::info;
        history_.add(std::move(call));
        return answered;
    }

    std::mt19937_64 random_;
};

// A Faktory worker that runs its jobs itself, and marks them.
class Worker : public Client {
  public:
    Worker(History& history, const Traffic& traffic, std::string socket, std::string log,
           const std::string& wid)
        : Client(history, traffic, std::move(socket),
                 R"({"v":2,"wid":")" + wid + R"(","hostname":"chaos","pid":1,"labels":[]})"),
          log_(std::move(log)),
          wid_(wid) {}

    void work() {
        beat();
        const std::string reply = ask("FETCH remote");
        if (outcome_of(reply) == Outcome::info || reply.starts_with("-"))
            history_.add_unanswered_fetch();
        if (reply == "$-1" || is_cut(reply) || reply.starts_with("-")) {
            if (reply.starts_with("-")) pause_ms(100);
            return;
        }
        const auto job = json::parse(reply);
        const std::string text = reply;
        const auto args = job.at("args");
        Mark mark;
        mark.jid = job.at("jid");
        mark.token = history_.fresh("run-");
        mark.holder = wid_;
        mark.pid = int(monotonic_us() & 0x3fffffff);
        mark.checksum = checksum_of(payload_of(text));
        int failures = 0;
        if (job.contains("failure") && job["failure"].is_object())
            failures = job["failure"].value("retry_count", 0) + 1;
        say(mark, Mark::Kind::start);
        const auto& plan = args.at(0);
        pause_ms(plan.value("ms", 0));
        const bool fails =
            plan.value("do", "ok") == "fail" || failures < plan.value("fail_first", 0);
        say(mark, fails ? Mark::Kind::end_fail : Mark::Kind::end_ok);
        report(mark, fails);
    }

  private:
    // The one argument, byte for byte: args is the array of it.
    static std::string payload_of(const std::string& job) {
        const std::string before = R"("args":[)";
        const size_t at = job.find(before);
        if (at == job.npos) return "";
        size_t end = at + before.size();
        int depth = 0;
        do {
            depth += job[end] == '{';
            depth -= job[end] == '}';
            ++end;
        } while (depth > 0 && end < job.size());
        return job.substr(at + before.size(), end - at - before.size());
    }

    void beat() {
        if (!connected()) return;
        const int64_t now = monotonic_us();
        if (now - beat_us_ < 5'000'000) return;
        beat_us_ = now;
        ask(R"(BEAT {"wid":")" + wid_ + "\"}");
    }

    void say(Mark& mark, Mark::Kind kind) {
        mark.kind = kind;
        mark.at_us = monotonic_us();
        if (!write_mark(log_, mark)) throw std::runtime_error("the witness log can't be written");
    }

    // Until it is heard: both are safe to repeat for a worker with a name.
    void report(const Mark& mark, bool fails) {
        const std::string line =
            fails ? R"(FAIL {"jid":")" + mark.jid +
                        R"(","errtype":"planned","message":"it was to fail","backtrace":[]})"
                  : R"(ACK {"jid":")" + mark.jid + "\"}";
        for (int tries = 0; tries < 200; ++tries) {
            if (!connected()) {
                pause_ms(50);
                continue;
            }
            const std::string reply = ask(line);
            if (reply == "+OK" || reply.starts_with("-ERR Job not found")) return;
            pause_ms(50);
        }
    }

    const std::string log_, wid_;
    int64_t beat_us_ = 0;
};

}  // namespace

Outcome outcome_of(const std::string& reply) {
    if (is_cut(reply)) return Outcome::info;
    if (!reply.starts_with("-")) return Outcome::ok;
    for (const char* word : {"-UNKNOWN", "-TIMEOUT", "-INTERNAL"})
        if (reply.starts_with(word)) return Outcome::info;
    return Outcome::fail;
}

std::unique_ptr<test::Wire> connect(const std::string& socket, const std::string& hello) {
    try {
        auto wire = std::make_unique<test::Wire>(socket);
        if (!wire->reply(2'000).starts_with("+HI")) return nullptr;
        if (!wire->send("HELLO " + hello + "\r\n") || wire->reply(2'000) != "+OK") return nullptr;
        return wire;
    } catch (const std::exception&) {
        return nullptr;  // nobody listens
    }
}

Clients::Clients(History& history, Traffic traffic, std::string socket, std::string witness_log,
                 uint64_t seed)
    : history_(history),
      traffic_(std::move(traffic)),
      socket_(std::move(socket)),
      witness_log_(std::move(witness_log)),
      seed_(seed) {}

Clients::~Clients() {
    stop();
}

void Clients::run(std::vector<std::thread>& threads, std::function<void(uint64_t)> body,
                  uint64_t seed) {
    threads.emplace_back([this, body = std::move(body), seed] {
        try {
            body(seed);
        } catch (const std::exception& error) {
            const std::lock_guard lock(mutex_);
            trouble_ += std::string(error.what()) + "\n";
        }
    });
}

void Clients::start() {
    producing_ = working_ = true;
    for (int i = 0; i < traffic_.producers; ++i) {
        const auto body = [this](uint64_t seed) {
            Producer producer(history_, traffic_, socket_, seed);
            while (producing_) {
                if (producer.connected()) producer.produce();
                pause_ms(producer.below(2'000 / traffic_.per_second) + 1);
            }
        };
        run(producers_, body, seed_ * 1000 + uint64_t(i));
    }
    for (int i = 0; i < traffic_.consumers; ++i) {
        const auto body = [this](uint64_t number) {
            Worker worker(history_, traffic_, socket_, witness_log_,
                          "chaosworker" + std::to_string(number));
            while (working_) {
                if (worker.connected())
                    worker.work();
                else
                    pause_ms(20);
            }
        };
        run(workers_, body, uint64_t(i));
    }
}

void Clients::stop_producing() {
    producing_ = false;
    for (auto& thread : producers_)
        thread.join();
    producers_.clear();
}

void Clients::stop() {
    working_ = false;
    stop_producing();
    for (auto& thread : workers_)
        thread.join();
    workers_.clear();
}

std::string Clients::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

Mark start_of(const nlohmann::json& taken, const std::string& holder) {
    return {Mark::Kind::start,
            taken.at("jid"),
            taken.at("attempt"),
            taken.at("token"),
            monotonic_us(),
            int(monotonic_us() & 0x3fffffff),
            holder,
            checksum_of(taken.at("payload_text").get<std::string>())};
}

}  // namespace jobq::chaos
