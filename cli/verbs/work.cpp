// The verb `work`: be a remote worker. What runs the jobs is the runner of jobqd, one program for
// local and remote: this file checks the words, finds the daemon, and becomes `jobqd runner`.
//
// jobq itself neither links the runner nor its loop: `jobq enqueue` has to start in milliseconds.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>

#include "cli/base/interrupt.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "core/base/id.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/config/queue_words.h"
#include "core/job/job.h"

namespace jobq::cli {
namespace {

constexpr int64_t kSlotsMost = 1'000;
constexpr int64_t kPauseMinMs = 50, kPauseMaxMs = 1'000;

constexpr std::array kOptions{
    Option{"--slots", "", "N", "jobs to run at once (default: one per processor)"},
    Option{"--type", "", "TYPE", "take only jobs of this type; can be given several times"},
    Option{"--env", "", "NAME[=VALUE]",
           "set this variable for the command; can be given several times"},
    Option{"--cwd", "", "DIRECTORY", "the working directory (default: the current one)",
           Takes::directory},
    Option{"--burst", "", "", "end when the queues are empty", Takes::nothing},
    Option{"--max-jobs", "", "N", "end after N jobs"},
    Option{"--stop-timeout", "", "DURATION",
           "how long running jobs get after a stop (default: 30s)"},
    Option{"--verbose", "-v", "", "print a line for each job", Takes::nothing},
};

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

bool is_program(const std::string& path) {
    struct stat found {};

    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

// The file that `name` means to a shell here; "" when there is none.
std::string program_in_path(const std::string& name) {
    const std::string path = environment("PATH");
    for (const auto folder : split(path, ':')) {
        const std::string file =
            (folder.empty() ? std::string(".") : std::string(folder)) + "/" + name;
        if (is_program(file)) return std::filesystem::absolute(file).string();
    }
    return "";
}

// Jobs have a PATH of their own: what the command means is settled here and now.
Answer<std::string> find_command(const std::string& name) {
    if (name.find('/') == std::string::npos) {
        const std::string found = program_in_path(name);
        if (!found.empty()) return found;
        return give_up(kNoInput, "the program '" + printable(name) + "' is not in PATH",
                       "use its path: jobq work QUEUE -- ./" + printable(name));
    }

    struct stat there {};

    if (::stat(name.c_str(), &there) != 0)
        return give_up(kNoInput, "can't run '" + printable(name) + "': " + std::strerror(errno));
    if (is_program(name)) return std::filesystem::absolute(name).string();
    return give_up(kNoInput, "can't run '" + printable(name) + "': it is not an executable file",
                   "use chmod +x, or name its interpreter: -- sh " + printable(name));
}

// jobqd: beside this program, where packages put it, or in PATH.
Answer<std::string> find_jobqd() {
    std::error_code failed;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", failed);
    const std::string folder = own.parent_path().string();
    for (const auto& place : {folder + "/jobqd", folder + "/../sbin/jobqd"})
        if (is_program(place)) return place;
    const std::string found = program_in_path("jobqd");
    if (!found.empty()) return found;
    return give_up(
        kNoInput,
        "the program jobqd, which runs the jobs, is neither in " + folder + " nor in PATH",
        "install the jobqd package on this machine; its service does not have to run");
}

// Of this process alone; it stays the same over reconnects.
std::string worker_name() {
    char host[256] = {};
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') std::strcpy(host, "localhost");
    constexpr size_t kHostBytes = 32;
    std::string name;
    for (const char c : std::string_view(host).substr(0, kHostBytes))
        name += is_name(std::string_view(&c, 1)) ? c : '-';
    const uint64_t random = random_u64();
    return name + "-" + std::to_string(getpid()) + "-" +
           hex({reinterpret_cast<const char*>(&random), 3});
}

Answer<> check_words(const Args& args) {
    const auto queues = parse_queue_words(args.words);
    if (!queues) return give_up(kUsage, queues.error().text, "jobq work images -- ./resize");
    for (const auto& type : args.all("--type"))
        if (type.empty() || type.size() > limits::kTypeBytes)
            return give_up(
                kUsage, "--type: a type has 1 to " + std::to_string(limits::kTypeBytes) + " bytes");
    for (const auto& word : args.all("--env")) {
        const std::string name = word.substr(0, word.find('='));
        if (name.empty()) return give_up(kUsage, "--env: '" + printable(word) + "' has no name");
        if (name == word && std::getenv(name.c_str()) == nullptr)
            return give_up(kUsage, "--env: '" + printable(name) + "' is not set in the environment",
                           "set it, or use --env " + printable(name) + "=VALUE");
    }
    if (args.has("--cwd") && !std::filesystem::is_directory(args.text("--cwd")))
        return give_up(kNoInput,
                       "--cwd: '" + printable(args.text("--cwd")) + "' is not a directory");
    if (args.command.empty() || args.command.front().empty())
        return give_up(kUsage, "`jobq work` needs the command that runs the jobs",
                       "jobq work " + args.words.front() + " -- COMMAND [ARGUMENT...]");
    return {};
}

// The words of `jobqd runner`, without its name and place.
Answer<std::vector<std::string>> runner_words(const Invocation& invocation) {
    const Args& args = invocation.args;
    std::vector<std::string> words;
    const auto slots = args.number("--slots", 1, kSlotsMost);
    if (!slots) return tl::unexpected(slots.error());
    const int64_t processors = std::max<int64_t>(1, std::thread::hardware_concurrency());
    words.push_back("--slots=" + std::to_string(slots->value_or(processors)));
    const auto most = args.number("--max-jobs", 1, INT64_MAX);
    if (!most) return tl::unexpected(most.error());
    if (*most) words.push_back("--max-jobs=" + std::to_string(**most));
    const auto stop = args.duration_ms("--stop-timeout");
    if (!stop) return tl::unexpected(stop.error());
    if (*stop) words.push_back("--stop-timeout=" + format_duration(**stop));
    for (const auto& queue : args.words)
        words.push_back("--queue=" + queue);
    for (const auto& type : args.all("--type"))
        words.push_back("--type=" + type);
    for (const auto& variable : args.all("--env"))
        words.push_back("--env=" + variable);
    if (args.has("--cwd"))
        words.push_back("--cwd=" + std::filesystem::absolute(args.text("--cwd")).string());
    if (args.has("--burst")) words.emplace_back("--burst");
    if (args.has("--verbose")) words.emplace_back("--verbose");
    if (invocation.out.quiet()) words.emplace_back("--silent");
    if (!invocation.out.is_text()) words.emplace_back("--jsonl");
    return words;
}

bool may_come(const Failure& failure) {
    return failure.status == kNoDaemon || failure.status == kTryAgain ||
           failure.status == kTimedOut;
}

// The address of a daemon that answers; nothing when the user ended the wait. Like a service it
// waits for one that is away, and says so once; --burst is for cron, where the next run is soon
// enough.
Answer<std::optional<Address>> find_daemon(Invocation& invocation) {
    const InterruptScope scope;
    int64_t pause_ms = kPauseMinMs;
    bool told = false;
    while (true) {
        const auto client = invocation.connect();
        if (client) return client->address();
        if (interrupted()) return std::nullopt;
        if (!may_come(client.error()) || invocation.args.has("--burst"))
            return tl::unexpected(client.error());
        if (!told) {
            invocation.out.flush();
            print_failure(client.error());
            invocation.out.note("waiting for the daemon");
            told = true;
        }
        sleep_until(monotonic_ms() + pause_ms);
        if (interrupted()) return std::nullopt;
        pause_ms = std::min(2 * pause_ms, kPauseMaxMs);
    }
}

// To the runner by its environment, which its jobs do not inherit: never by its arguments.
void pass_secrets(const Address& address) {
    if (!address.password.empty()) setenv("JOBQ_PASSWORD", address.password.c_str(), 1);
    if (!address.ca_file.empty())
        setenv("JOBQ_CA_FILE", std::filesystem::absolute(address.ca_file).c_str(), 1);
}

Answer<int> run_work(Invocation& invocation) {
    const Args& args = invocation.args;
    if (const auto checked = check_words(args); !checked) return tl::unexpected(checked.error());
    std::error_code failed;
    if (std::filesystem::current_path(failed).empty())
        return give_up(kNoInput, "the current directory can't be used: " + failed.message(),
                       "change to another directory first");
    const auto command = find_command(args.command.front());
    if (!command) return tl::unexpected(command.error());
    const auto settings = runner_words(invocation);
    if (!settings) return tl::unexpected(settings.error());
    const auto program = find_jobqd();
    if (!program) return tl::unexpected(program.error());
    const auto address = find_daemon(invocation);
    if (!address) return tl::unexpected(address.error());
    if (!*address) return kDone;
    pass_secrets(**address);
    std::vector<std::string> words{"jobqd", "runner", "--connect=" + (*address)->endpoint.text(),
                                   "--name=" + worker_name()};
    if ((*address)->endpoint.own) words.emplace_back("--own-daemon");
    words.insert(words.end(), settings->begin(), settings->end());
    words.insert(words.end(), {"--", *command});
    words.insert(words.end(), args.command.begin() + 1, args.command.end());
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    invocation.out.flush();
    execv(program->c_str(), argv.data());
    return give_up(info(ErrorCode::internal).exit_status,
                   "can't start '" + *program + "': " + std::strerror(errno));
}

}  // namespace

const Verb kWork{.name = "work",
                 .usage = "QUEUE[=WEIGHT]... -- COMMAND [ARGUMENT...]",
                 .summary = "Work on queues: run a command for each of their jobs",
                 .examples =
                     "jobq work images --slots 4 -- ./resize --max 800\n"
                     "jobq --server tcp://jobs.example:7419 work high=5 low=1 -- ./handle\n"
                     "jobq work reports --burst -q -- /usr/lib/jobs/report",
                 .options = kOptions,
                 .more = {},
                 .min_words = 1,
                 .max_words = -1,
                 .words = Takes::queue,
                 .run = run_work,
                 .command = true};

}  // namespace jobq::cli
