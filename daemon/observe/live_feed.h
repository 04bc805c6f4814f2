// LiveFeed: what the dashboards show, one sample a second that all who look share. A sample is made
// and written as text once; a viewer who reads slowly is given the newest and never more than one,
// so that no answer overtakes another and none heaps up. The rows that are charted are kept for
// who comes next. Made by the app, who says what a sample is; read by GET /api/v1/live.
//
// Must stay true: while nobody looks, and kLingerMs after, nothing is done.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/gate.h"
#include "core/async/wait.h"

namespace jobq {

struct LiveSample {
    int64_t taken_ms = 0;                    // Unix time
    std::vector<std::optional<double>> row;  // of what is charted, as the names are
    std::string members;                     // of a JSON object, besides the row
};

class LiveFeed {
  public:
    static constexpr size_t kRows = 600;
    static constexpr int64_t kEveryMs = 1'000, kFirstMs = 50, kLingerMs = 60'000;

    struct Viewer {
        explicit Viewer(Reactor& reactor) : changed(reactor) {}

        std::shared_ptr<const std::string> newest;  // a server-sent event; taken by who sends it
        Signal changed;
    };

    // `names` of the row's values; `about`: members of a JSON object that do not change. `wake` is
    // called when somebody looks after nobody did, kFirstMs before the first sample is taken.
    LiveFeed(Reactor& reactor, std::vector<std::string> names, std::string about,
             std::function<void()> wake, std::function<LiveSample()> take);

    // Ends when the pointer is dropped. The present sample is there already when somebody looks.
    std::shared_ptr<Viewer> look();
    // What a viewer is told first: names and the rows of the last ten minutes.
    std::string history() const;
    task<void> stop();

  private:
    task<void> run();
    bool publish();

    Reactor& reactor_;
    std::vector<std::string> names_;
    std::string about_;
    std::function<void()> wake_;
    std::function<LiveSample()> take_;
    std::list<std::weak_ptr<Viewer>> viewers_;
    std::shared_ptr<const std::string> newest_;  // null: it is too old
    std::deque<std::string> rows_;               // JSON
    int64_t until_ms_ = 0;                       // nobody has looked for long then
    bool running_ = false, stopping_ = false;
    Signal stopped_;
    Gate gate_;
};

}  // namespace jobq
