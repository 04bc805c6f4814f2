// FakeJobqd: a scripted server for the runner's verbs on a Unix socket, and the runner as a process
// of its own. It hands out the jobs it is given and keeps what it is told, for the test to look at.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/async/gate.h"
#include "daemon/loop/listener.h"
#include "daemon/runner/runner.h"

namespace jobq::test {

class FakeJobqd {
  public:
    explicit FakeJobqd(std::string path);
    ~FakeJobqd();

    // Listens, or stops listening and cuts every connection, as a jobqd that is killed.
    void open();
    void cut();
    // Turns the loop until it is so.
    bool until(const std::function<bool()>& condition, int64_t limit_ms = 10'000);
    // Puts a job in the queue; its token is "t-" + jid unless told.
    void give(const std::string& jid, const std::string& type, const std::string& payload = "{}",
              nlohmann::json more = nlohmann::json::object());

    // Wakes those who wait for a change of the fields below.
    void wake() { changed_.notify_all(); }

    nlohmann::json* done_of(const std::string& jid);
    std::string output_of(const std::string& jid, const std::string& stream) const;

    UvReactor reactor;
    nlohmann::json assignment;
    std::deque<nlohmann::json> jobs;
    std::vector<std::string> cancel, lost;
    std::string state = "running", version = "1";
    bool answers_beats = true;
    int cut_outputs = 0;   // of the next ones the connection ends instead of an answer
    bool no_room = false;  // for output; what it answers to who waits for some can't be read
    int64_t take_ms = 0;   // a TAKE takes so long at least
    // Its reply to the next DONE instead of ok for all; "" cuts the connection instead.
    std::function<std::string(const nlohmann::json&)> on_done;

    std::vector<nlohmann::json> hellos, takes, beats, done, outputs;
    int pools_asked = 0, waits_for_room = 0;

  private:
    task<void> serve(std::shared_ptr<Stream> stream);
    task<std::string> read_line(std::shared_ptr<Stream> stream);
    task<std::string> reply_to(std::shared_ptr<Stream> stream, std::string verb,
                               nlohmann::json body);
    task<nlohmann::json> take(std::shared_ptr<Stream> stream, nlohmann::json body);
    task<nlohmann::json> beat(std::shared_ptr<Stream> stream, nlohmann::json body);
    nlohmann::json answer_done(const nlohmann::json& body);

    std::string path_;
    Signal changed_{reactor};
    Gate gate_{reactor};
    std::unique_ptr<Listener> listener_;
    std::vector<std::shared_ptr<Stream>> streams_;
};

// run_runner() in a forked process; ended and reaped with this object.
class RunnerProcess {
  public:
    explicit RunnerProcess(RunnerOptions options);
    ~RunnerProcess();

    void signal(int number) const;
    bool ended();

    std::optional<int> exit_code() const { return exit_code_; }

    int pid() const { return pid_; }

  private:
    int pid_ = -1;
    bool ended_ = false;
    std::optional<int> exit_code_;
};

// One exec pool "main" of queue "default" and types that run shell scripts.
nlohmann::json shell_assignment(int slots,
                                const std::vector<std::pair<std::string, std::string>>& types);

}  // namespace jobq::test
