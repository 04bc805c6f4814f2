// The scripted server and the forked runner of the runner tests; see fake_jobqd.h. It knows no
// rules: tokens, leases and order are for the test to judge.
#include "tests/daemon/fake_jobqd.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "core/base/base64.h"
#include "tests/daemon/loop_until.h"
#include "tests/support/poll.h"

namespace jobq::test {

using nlohmann::json;

FakeJobqd::FakeJobqd(std::string path)
    : assignment(shell_assignment(2, {})), path_(std::move(path)) {
    open();
}

FakeJobqd::~FakeJobqd() {
    cut();
    until([this] { return gate_.inside() == 0; });
}

void FakeJobqd::open() {
    Endpoint endpoint;
    endpoint.unix_path = path_;
    auto listener = Listener::listen(reactor, endpoint, [this](std::unique_ptr<Stream> stream) {
        streams_.emplace_back(std::move(stream));
        gate_.spawn(serve(streams_.back()));
    });
    REQUIRE(listener);
    listener_ = std::move(*listener);
}

void FakeJobqd::cut() {
    listener_.reset();
    for (auto& stream : streams_)
        stream->close();
    streams_.clear();
    wake();
}

bool FakeJobqd::until(const std::function<bool()>& condition, int64_t limit_ms) {
    return loop_until(reactor, condition, limit_ms);
}

void FakeJobqd::give(const std::string& jid, const std::string& type, const std::string& payload,
                     json more) {
    json job{{"jid", jid},
             {"type", type},
             {"queue", "default"},
             {"attempt", 1},
             {"max_attempts", 3},
             {"token", "t-" + jid},
             {"timeout_ms", 30'000},
             {"deadline", "2030-01-01T00:00:00Z"},
             {"payload_text", payload}};
    job.update(more);
    jobs.push_back(std::move(job));
    wake();
}

json* FakeJobqd::done_of(const std::string& jid) {
    for (auto& report : done)
        if (report["jid"] == jid) return &report;
    return nullptr;
}

std::string FakeJobqd::output_of(const std::string& jid, const std::string& stream) const {
    std::string all;
    for (const auto& chunk : outputs) {
        if (chunk["jid"] != jid || chunk["stream"] != stream) continue;
        std::string bytes = chunk.contains("text")
                                ? chunk["text"].get<std::string>()
                                : base64_decode(chunk["b64"].get<std::string>()).value_or("");
        auto offset = chunk["offset"].get<size_t>();
        if (all.size() < offset + bytes.size()) all.resize(offset + bytes.size(), '?');
        all.replace(offset, bytes.size(), bytes);
    }
    return all;
}

task<std::string> FakeJobqd::read_line(std::shared_ptr<Stream> stream) {
    size_t end = std::string::npos;
    while ((end = stream->buffer().find('\n')) == std::string::npos) {
        bool more = co_await stream->read_more(60'000);
        if (!more) co_return std::string();
    }
    std::string line = stream->buffer().substr(0, end);
    stream->buffer().erase(0, end + 1);
    co_return line;
}

task<void> FakeJobqd::serve(std::shared_ptr<Stream> stream) {
    stream->set_max_buffer(16 << 20);
    stream->write("+HI {\"v\":2}\r\n");
    std::string hello = co_await read_line(stream);
    if (hello.starts_with("HELLO ")) {
        hellos.push_back(json::parse(hello.substr(6)));
        stream->write("+OK\r\n");
    }
    while (!stream->closed()) {
        std::string line = co_await read_line(stream);
        if (!line.starts_with("JOBQ ")) break;
        size_t space = line.find(' ', 5);
        std::string verb = line.substr(5, space - 5);
        json body = json::parse(line.substr(space + 1));
        std::string reply = co_await reply_to(stream, std::move(verb), std::move(body));
        if (reply.empty()) break;
        stream->write(reply);
    }
    stream->close();
}

task<std::string> FakeJobqd::reply_to(std::shared_ptr<Stream> stream, std::string verb, json body) {
    json reply{{"ok", true}};
    if (verb == "POOLS") {
        ++pools_asked;
        reply = assignment;
        reply["version"] = version;
    } else if (verb == "TAKE") {
        if (body.value("config", version) != version)
            co_return "-BUSY the configuration has changed\r\n";
        reply = co_await take(stream, std::move(body));
    } else if (verb == "HEARTBEAT") {
        reply = co_await beat(stream, std::move(body));
    } else if (verb == "DONE") {
        std::string own;
        bool scripted = on_done != nullptr;
        if (scripted) own = std::exchange(on_done, nullptr)(body);
        if (scripted && own.empty()) co_return own;
        reply = scripted ? json::parse(own) : answer_done(body);
    } else if (verb == "OUTPUT") {
        if (cut_outputs > 0 && !body["jobs"].empty() && cut_outputs-- > 0) co_return "";
        for (auto& chunk : body["jobs"])
            outputs.push_back(chunk);
        waits_for_room += body.contains("wait_ms") ? 1 : 0;
        if (no_room) {
            reply = {{"jobs", body.contains("wait_ms") ? json("many") : json::array()}};
            for (auto& chunk : body["jobs"])
                reply["jobs"].push_back({{"jid", chunk["jid"]}, {"room", 0}});
        }
    } else {
        co_return "-INVALID unknown verb " + verb + "\r\n";
    }
    std::string text = reply.dump();
    co_return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

json FakeJobqd::answer_done(const json& body) {
    json answers = json::array();
    for (const auto& report : body["jobs"]) {
        done.push_back(report);
        answers.push_back(json{{"jid", report["jid"]}, {"ok", true}});
    }
    return json{{"jobs", answers}};
}

task<json> FakeJobqd::take(std::shared_ptr<Stream> stream, json body) {
    takes.push_back(body);
    if (take_ms > 0) co_await sleep_for(reactor, take_ms);
    int64_t until_ms = reactor.now_ms() + body["wait_ms"].get<int64_t>();
    const std::string asked = version;
    while (jobs.empty() && !stream->closed() && version == asked && reactor.now_ms() < until_ms) {
        auto wait = changed_.wait(until_ms - reactor.now_ms());
        co_await wait;
    }
    json given = json::array();
    while (!stream->closed() && version == asked && !jobs.empty() &&
           given.size() < body["count"].get<size_t>()) {
        given.push_back(jobs.front());
        jobs.pop_front();
    }
    co_return json{{"jobs", given}};
}

task<json> FakeJobqd::beat(std::shared_ptr<Stream> stream, json body) {
    beats.push_back(body);
    int64_t until_ms = reactor.now_ms() + body["wait_ms"].get<int64_t>();
    std::string state_before = state, version_before = version;
    while (!stream->closed() && (!answers_beats || reactor.now_ms() < until_ms)) {
        bool news =
            !cancel.empty() || !lost.empty() || state != state_before || version != version_before;
        if (news && answers_beats) break;
        int64_t left = answers_beats ? until_ms - reactor.now_ms() : 1'000;
        auto wait = changed_.wait(left);
        co_await wait;
    }
    json reply{{"cancel", std::exchange(cancel, {})},
               {"lost", std::exchange(lost, {})},
               {"state", state},
               {"config", version}};
    co_return reply;
}

RunnerProcess::RunnerProcess(RunnerOptions options) {
    pid_ = fork();
    if (pid_ != 0) return;
    if (!options.on_log && !std::getenv("JOBQ_TEST_LOG"))
        options.on_log = [](LogLevel, std::string_view, const std::string&) {};
    _exit(run_runner(options));
}

RunnerProcess::~RunnerProcess() {
    if (ended()) return;
    signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
}

void RunnerProcess::signal(int number) const {
    kill(pid_, number);
}

bool RunnerProcess::ended() {
    int status = 0;
    if (ended_ || waitpid(pid_, &status, WNOHANG) != pid_) return ended_;
    ended_ = true;
    if (WIFEXITED(status)) exit_code_ = WEXITSTATUS(status);
    return true;
}

json shell_assignment(int slots, const std::vector<std::pair<std::string, std::string>>& types) {
    json scripts = json::object();
    for (const auto& [type, script] : types) {
        scripts[type] =
            json{{"run", {"/bin/sh", "-c", script}}, {"timeout_ms", 30'000}, {"grace_ms", 300}};
    }
    json queue{{"name", "default"}, {"weight", 1}};
    json pool{{"name", "main"},
              {"kind", "exec"},
              {"slots", slots},
              {"queues", json::array({queue})},
              {"strict", true}};
    return json{{"pools", json::array({pool})},
                {"types", scripts},
                {"run_allowed", true},
                {"version", "1"}};
}

}  // namespace jobq::test
