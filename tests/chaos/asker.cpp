// See asker.h.
#include "tests/chaos/asker.h"

#include <stdexcept>

#include "tests/support/http_client.h"

namespace jobq::chaos {
namespace {

constexpr int kOneIn = 2;    // of the answers, cut
constexpr int kHoldMs = 40;  // before: what was asked for may be over by then
constexpr int kMostCalls = 60;
constexpr int kNobodyThere = 69, kMayBeDone = 75;  // exit statuses

[[noreturn]] void never_told(const std::string& what) {
    throw std::runtime_error("never told: " + what);
}

}  // namespace

Asker::Asker(const test::LiveDaemon& daemon, uint64_t seed)
    : wire_(dir_ / "wire.sock", daemon.socket(), seed * 2 + 1, kOneIn, kHoldMs),
      http_(dir_ / "http.sock", daemon.dir() / "http.sock", seed * 2 + 2, kOneIn, kHoldMs) {}

Told Asker::line(const std::string& words, const std::string& hello) {
    const size_t second = words.starts_with("JOBQ ") ? 5 : 0;
    verbs_.insert(words.substr(0, words.find(' ', second)));
    Told told;
    while (++told.calls < kMostCalls) {
        auto wire = connect(wire_.path(), hello);
        if (!wire) continue;
        told.text = wire->ask(words);
        if (!told.text.starts_with("(")) return told;
    }
    never_told(words);
}

Told Asker::http(const std::string& method, const std::string& target, const std::string& body,
                 const std::vector<std::string>& headers) {
    Told told;
    while (++told.calls < kMostCalls) {
        try {
            test::HttpClient client(http_.path());
            const auto answer = client.ask(method, target, body, headers);
            if (answer.status == 0) continue;
            told.text = answer.body;
            told.status = answer.status;
            return told;
        } catch (const std::exception&) {
            continue;  // cut in the middle
        }
    }
    never_told(method + " " + target);
}

Told Asker::jobq_alone(const std::vector<std::string>& args, const std::string& input) {
    test::CliCall call;
    call.args = args;
    call.input = input;
    call.no_input = input.empty();
    call.limit_s = 60;
    call.env["JOBQ_URL"] = "unix:" + wire_.path();
    const test::Ran ran = test::run_cli(call);
    return {ran.out + ran.err, ran.status, 1};
}

Told Asker::jobq(const std::vector<std::string>& args, const std::string& input) {
    for (int calls = 1; calls < kMostCalls; ++calls) {
        Told told = jobq_alone(args, input);
        told.calls = calls;
        if (told.status != kNobodyThere && told.status != kMayBeDone) return told;
    }
    never_told("jobq " + args.front());
}

}  // namespace jobq::chaos
