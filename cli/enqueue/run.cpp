// The verb `run`: a command as a job of the built-in type "run".
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "cli/base/interrupt.h"
#include "cli/enqueue/job_options.h"
#include "cli/enqueue/submit.h"
#include "cli/follow/logs.h"
#include "cli/follow/wait_for_jobs.h"
#include "cli/input/caller_dir.h"
#include "cli/input/input.h"
#include "cli/line/verb_list.h"
#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/job/decide.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--env", "", "NAME[=VALUE]",
           "set this variable for the command; can be given several times"},
    Option{"--cwd", "", "DIRECTORY",
           "the working directory (default: the current one, if the daemon is local)",
           Takes::directory},
};

Answer<> add_env(const Args& args, JsonWriter& payload) {
    auto env = JsonWriter::object();
    for (const auto& word : args.all("--env")) {
        const size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        if (name.empty()) return give_up(kUsage, "--env: '" + printable(word) + "' has no name");
        if (equals != std::string::npos) {
            env.field(name, word.substr(equals + 1));
            continue;
        }
        const char* value = std::getenv(name.c_str());
        if (value == nullptr)
            return give_up(kUsage, "--env: '" + printable(name) + "' is not set in the environment",
                           "set it, or use --env " + printable(name) + "=VALUE");
        if (!is_utf8(value))
            return give_up(kBadData, "--env: the value of '" + printable(name) + "' is not UTF-8");
        env.field(name, value);
    }
    if (!env.empty()) payload.raw("env", env.done());
    return {};
}

// New files of the command have the permissions that the caller's have.
void add_umask(JsonWriter& payload) {
    const mode_t mask = ::umask(0077);
    ::umask(mask);
    char octal[8];
    std::snprintf(octal, sizeof octal, "%04o", unsigned(mask & 0777));
    payload.field("umask", octal);
}

// `local`: the daemon is on this machine, where our directory means something.
Answer<> add_cwd(const Args& args, bool local, JsonWriter& payload) {
    if (!args.has("--cwd")) {
        if (!local) return {};
        auto here = caller_dir();
        if (!here) return tl::unexpected(here.error());
        payload.field("cwd", *here);
        return {};
    }
    const std::string& given = args.text("--cwd");
    if (!local && !given.starts_with('/'))
        return give_up(kUsage,
                       "--cwd: '" + printable(given) +
                           "' is a relative path, but jobqd may run on another machine",
                       "use an absolute path");
    auto path = from_caller(given);
    if (!path) return tl::unexpected(path.error());
    payload.field("cwd", *path);
    return {};
}

// The stdin of the command: ours, when somebody pipes something in and waits for what comes out.
Answer<> add_input(JsonWriter& payload, bool quiet) {
    auto bytes = read_piped_bytes(quiet);
    if (!bytes) return tl::unexpected(bytes.error());
    if (bytes->empty()) return {};
    const std::string packed = base64_encode(*bytes);
    if (is_utf8(*bytes) && json_quoted(*bytes).size() <= packed.size() + 2) {
        payload.field("stdin", *bytes);
    } else {
        payload.field("stdin_b64", packed);
    }
    return {};
}

// What the job writes before it is followed is to wait for us. A jobqd of an earlier version does
// not know of this: it does not find the job, or sends what there is of it. A link that was lost is
// for submit() to take up again.
void announce(Client& client, const std::string& jid) {
    auto request = JsonWriter::object();
    request.field("jid", jid).field("expect", true);
    client.send("LOGS", request.done());
    const int64_t deadline_ms = monotonic_ms() + kReplyMs;
    auto answer = client.receive(deadline_ms);
    while (answer && !JsonView(*answer)["end"].flag())
        answer = client.receive(deadline_ms);
    if (!answer && answer.error().code == ErrorCode::timeout) client.link().close();
}

// The command's output as it comes, then its own exit status.
Answer<int> follow(Client& client, Output& out, const std::string& jid) {
    const InterruptScope scope;
    auto request = JsonWriter::object();
    request.field("jid", jid).field("follow", true).field("stdout", true).field("binary", true);
    auto end = follow_logs(client, out, request.done(), true,
                           [&out](JsonView message, const std::string& text) {
                               if (out.format() == Format::jsonl) {
                                   out.line(message.raw());
                               } else if (message["stream"].text() == "stdout") {
                                   out.raw(text);
                               } else {
                                   out.raw_error(text);
                               }
                               out.flush();
                           });
    if (!end) return tl::unexpected(end.error());
    std::string last;
    if (*end == FollowEnd::over) {
        const auto over = wait_for(client, out, {jid}, std::nullopt,
                                   [&last](JsonView job) { last = std::string(job.raw()); });
        if (!over) return tl::unexpected(over.error());
        if (*over == WaitEnd::interrupted) end = FollowEnd::interrupted;
    }
    if (*end == FollowEnd::interrupted)
        return give_up(
            kInterrupted, "detached; the command continues as job " + jid,
            "follow it with: jobq logs -f " + jid + "; stop it with: jobq cancel " + jid);
    const JsonView job(last);
    const int status = status_of_job(job);
    // A command that ended by itself has said what it had to say; all else is told here.
    const auto errors = job["errors"].items();
    const bool started = errors.empty() || errors.back()["error_type"].text() != kNotStarted;
    const bool by_itself =
        started && job["exit_code"].exists() && job["signal"].number() <= 0 && status != kTimedOut;
    if (status != kDone && !by_itself) out.note(end_in_words(job));
    return status;
}

Answer<int> run_run(Invocation& invocation) {
    const Args& args = invocation.args;
    auto request = JsonWriter::object();
    request.field("type", "run");
    if (auto added = add_job_options(args, request); !added) return tl::unexpected(added.error());
    if (!args.has("--max-attempts")) request.field("max_attempts", 1);
    std::string jid = args.text("--id");
    if (jid.empty()) {
        jid = new_jid();
        request.field("jid", jid);
    }
    auto payload = JsonWriter::object();
    payload.field("argv", args.words);
    if (auto added = add_env(args, payload); !added) return tl::unexpected(added.error());
    add_umask(payload);
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    if (auto added = add_cwd(args, client->address().endpoint.is_unix(), payload); !added)
        return tl::unexpected(added.error());
    if (args.has("--wait"))
        if (auto added = add_input(payload, invocation.out.quiet()); !added)
            return tl::unexpected(added.error());
    request.raw("payload", payload.done());
    if (args.has("--wait") && invocation.out.format() != Format::json) announce(*client, jid);
    const auto submitted = submit(*client, invocation.out, request.done(), jid);
    if (!submitted) return tl::unexpected(submitted.error());
    if (!args.has("--wait")) {
        print_submitted(invocation.out, *submitted);
        return kDone;
    }
    print_remarks(invocation.out, *submitted);
    if (invocation.out.format() == Format::json)
        return see_through(*client, invocation.out, submitted->jid, std::nullopt);
    return follow(*client, invocation.out, submitted->jid);
}

}  // namespace

const Verb kRun{.name = "run",
                .usage = "[--] COMMAND [ARGUMENT...]",
                .summary = "Run a command as a job",
                .examples =
                    "jobq run --wait -- ./nightly.sh --full\n"
                    "jobq run --wait -- gzip -c < table.csv > table.csv.gz\n"
                    "jobq run --in 1h --env LANG -- make -C /srv/site",
                .options = kOptions,
                .more = job_options(),
                .min_words = 1,
                .max_words = -1,
                .words = Takes::command,
                .run = run_run};

}  // namespace jobq::cli
