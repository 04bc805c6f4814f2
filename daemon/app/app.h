// App: starts, reloads and stops the daemon, whose parts (parts.h) it goes through in the order of
// one list. Nobody below knows it.
//
// Must stay true: one reload at a time: what is asked for meanwhile, or before all has started, is
// done after it. Once a stop is asked for, nothing else begins.
#pragma once

#include <memory>
#include <vector>

#include "core/async/gate.h"
#include "daemon/app/options.h"
#include "daemon/app/part.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq {

struct Parts;

class App {
  public:
    App(UvReactor& reactor, Options options, Loaded loaded, Places places);
    ~App();

    // From start to stop; the exit status is left in exit_status().
    task<void> run();

    // What signals ask for, at any time. A second stop hurries the first.
    void ask_stop();
    void ask_reload();
    void ask_restart();

    int exit_status() const { return exit_status_; }

    // Stopped in order to run the program's file anew, in this process.
    bool restarts() const { return restarts_; }

  private:
    task<void> start_up();
    task<Result<>> start();
    task<void> reload_all();
    task<void> reload();
    Result<> prepare(const Config& fresh);
    task<void> stop();
    void end();

    UvReactor& reactor_;
    const Options options_;
    const Places places_;
    std::unique_ptr<Parts> parts_;
    std::vector<Part*> order_;
    int exit_status_ = 0;
    bool starting_ = true;  // until start() has returned
    bool serving_ = false, stopping_ = false, restarts_ = false;
    bool reload_asked_ = false, reloading_ = false;
    Signal stop_asked_;
    Gate gate_;
};

}  // namespace jobq
