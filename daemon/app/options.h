// The command line of jobqd, and the places it uses. CLI11 is seen in options.cpp alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "daemon/runner/work.h"

namespace jobq {

struct Options {
    enum class Mode : uint8_t { serve, runner, check_config, print_config };
    Mode mode = Mode::serve;
    std::vector<std::string> argv;          // all of it
    std::vector<std::string> config_files;  // as given; empty: the default places
    bool dev = false;
    std::string state_dir, unix_path, tcp, http, redis, log_level, log_format;
    // `jobqd runner`
    std::string runner_connect, runner_name;
    bool runner_own_daemon = false, runner_any_daemon = false;  // --own-daemon, --any-daemon
    int64_t runner_stop_timeout_ms = limits::kStopTimeoutMs;
    WorkOptions work;  // with queues: what `jobq work` runs
};

// What main() is to do: go on with the options, or end with a status at once (help, version,
// usage).
struct ParsedOptions {
    Options options;
    std::optional<int> exit_status;
};

ParsedOptions parse_options(int argc, char** argv);

// Once they are read: overwrites the passwords of URLs in the arguments, which all users of the
// host can read.
void hide_passwords(int argc, char** argv);

// Where --dev serves HTTP, or on a free port when this one is taken.
inline constexpr const char* kDevHttp = "127.0.0.1:7480";

// Reads the configuration the options ask for, the flags last. For --dev the demo configuration.
Loaded load_for(const Options& options);

// The environment as a map.
std::map<std::string, std::string> environment();

// Where this daemon keeps its state and listens, for what the configuration leaves open. --dev: a
// directory of its own below /tmp or $XDG_RUNTIME_DIR that goes with it. Their directories exist,
// and no other user can exchange them.
struct Places {
    std::string state_dir, unix_path;
    bool throw_away = false;           // remove state_dir at the end
    std::string dev_link;              // a symlink by which the CLI finds a --dev daemon
    std::vector<std::string> remarks;  // for the log
};

// forbidden: a directory that can't be made, or that others can exchange.
Result<Places> make_places(const Config& config);

// "{state_dir}" in the environment and working directory of types becomes the daemon's own.
void expand_places(Config& config, const Places& places);

}  // namespace jobq
