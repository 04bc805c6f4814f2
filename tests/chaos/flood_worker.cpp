// A worker that takes jobs by the hundred: `flood_worker SOCKET LOG WID`. It opts in, has one lease
// for all it holds, and writes down of each job when it began, when it ended and how the report of
// that was answered, each for a whole batch by one write. Started by flood.cpp; ends when killed.
//
// Must stay true: no job begins whose lease may be over, and a batch is reported until there is an
// answer, with its tokens.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

#include "tests/chaos/clients.h"
#include "tests/chaos/witness.h"

namespace {

using namespace jobq::chaos;
using jobq::test::Wire;
using nlohmann::json;

constexpr int kBatch = 250;
constexpr int64_t kBeatEveryUs = 3'000'000;
constexpr int64_t kLeaseUs = 15'000'000, kFenceUs = 3'000'000;  // it stops so long before
constexpr int kReplyMs = 8'000, kTakeWaitMs = 1'000;

struct Held {
    Mark mark;
    bool fails = false;
};

class FloodWorker {
  public:
    FloodWorker(std::string socket, int log, std::string wid)
        : socket_(std::move(socket)), log_(log), wid_(std::move(wid)), random_(size_t(getpid())) {}

    // True when something could be done.
    bool turn() {
        if (!wire_ && !arrive()) return false;
        if (monotonic_us() - beat_us_ > kBeatEveryUs && !beat()) return false;
        take();
        if (held_.empty()) return wire_ != nullptr;
        if (monotonic_us() > lease_from_us_ + kLeaseUs - kFenceUs) return give_back();
        run();
        return report("");
    }

    // What is held is still to be reported. False when it still is.
    bool again() {
        if (!held_.empty()) report(released_ ? "released" : "");
        return held_.empty();
    }

  private:
    bool arrive() {
        wire_ = connect(socket_, R"({"v":2,"jobq":1,"wid":")" + wid_ +
                                     R"(","hostname":"chaos","pid":)" + std::to_string(getpid()) +
                                     R"(,"labels":["flood"]})");
        return wire_ && beat();
    }

    // An answer that could be read, or null and another connection.
    json ask(const std::string& verb, const json& body) {
        const int64_t sent_us = monotonic_us();
        const bool sent = wire_->send("JOBQ " + verb + " " + body.dump() + "\r\n");
        const std::string reply = sent ? wire_->reply(kReplyMs) : "(not sent)";
        json answer = json::parse(reply, nullptr, false);
        if (answer.is_object()) {
            lease_from_us_ = sent_us;  // it counts from then or later
            return answer;
        }
        if (reply.starts_with("(")) wire_.reset();
        return nullptr;
    }

    bool beat() {
        json running = json::array();
        for (const auto& held : held_)
            running.push_back({{"jid", held.mark.jid}, {"token", held.mark.token}});
        const json answer =
            ask("HEARTBEAT", {{"running", running}, {"wait_ms", 0}, {"state", "running"}});
        if (answer.is_object()) beat_us_ = monotonic_us();
        return answer.is_object();
    }

    void take() {
        const json answer =
            ask("TAKE", {{"queues", {"flood"}}, {"count", kBatch}, {"wait_ms", kTakeWaitMs}});
        if (!answer.is_object()) return;
        for (const auto& job : answer.at("jobs")) {
            const std::string payload = job.at("payload_text");
            const auto plan = json::parse(payload, nullptr, false);
            Held held;
            held.mark.jid = job.at("jid");
            held.mark.attempt = job.at("attempt");
            held.mark.token = job.at("token");
            held.mark.pid = getpid();
            held.mark.holder = wid_;
            held.mark.checksum = checksum_of(payload);
            held.fails = plan.is_object() && held.mark.attempt <= plan.value("fail_first", 0);
            held_.push_back(std::move(held));
        }
    }

    void run() {
        std::vector<Mark> marks;
        for (auto& held : held_) {
            held.mark.kind = Mark::Kind::start;
            held.mark.at_us = monotonic_us();
            marks.push_back(held.mark);
        }
        write(marks);
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % 20'000));
        for (auto& mark : marks) {
            mark.kind = held_[size_t(&mark - marks.data())].fails ? Mark::Kind::end_fail
                                                                  : Mark::Kind::end_ok;
            mark.at_us = monotonic_us();
        }
        write(marks);
    }

    bool give_back() {
        released_ = true;
        return report("released");
    }

    bool report(const std::string& outcome) {
        if (!wire_ && !arrive()) return false;
        json jobs = json::array();
        for (const auto& held : held_) {
            const char* own = held.fails ? "failure" : "success";
            jobs.push_back({{"jid", held.mark.jid},
                            {"token", held.mark.token},
                            {"outcome", outcome.empty() ? own : outcome}});
            if (held.fails) jobs.back()["error_type"] = "planned";
        }
        const json answer = ask("DONE", {{"jobs", jobs}});
        if (!answer.is_object()) return false;
        note_answers(answer.at("jobs"));
        return true;
    }

    // What got no answer, but an error that says that nobody knows, stays held.
    void note_answers(const json& answers) {
        std::vector<Mark> marks;
        std::vector<Held> unheard;
        for (size_t i = 0; i < held_.size(); ++i) {
            Held& held = held_[i];
            const bool ok = answers.at(i).at("ok");
            const std::string error = ok ? "" : answers.at(i).value("error", "");
            if (!ok && error != "LEASE_LOST") {
                unheard.push_back(held);
                continue;
            }
            held.mark.kind = ok ? Mark::Kind::told : Mark::Kind::stale;
            held.mark.at_us = monotonic_us();
            marks.push_back(held.mark);
        }
        if (!released_ && !marks.empty()) write(marks);
        held_ = std::move(unheard);
        if (held_.empty()) released_ = false;
    }

    void write(const std::vector<Mark>& marks) const {
        if (!write_marks(log_, marks)) _exit(1);
    }

    const std::string socket_;
    const int log_;
    const std::string wid_;
    std::mt19937_64 random_;
    std::unique_ptr<Wire> wire_;
    std::vector<Held> held_;
    bool released_ = false;  // what is held was never begun
    int64_t lease_from_us_ = 0, beat_us_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const int log = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) return 2;
    FloodWorker worker(argv[1], log, argv[3]);
    while (true)
        if (!worker.again() || !worker.turn())
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
}
