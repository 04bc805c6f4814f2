// The verb `enqueue`: one job, or with --jsonl one a line.
#include <array>

#include "cli/enqueue/bulk.h"
#include "cli/enqueue/job_options.h"
#include "cli/enqueue/submit.h"
#include "cli/input/input.h"
#include "cli/line/verb_list.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--payload", "-p", "FILE|-|JSON",
           "the payload: a file, - for standard input, or JSON text", Takes::payload},
    Option{"--jsonl", "", "FILE|-", "read one job per line: an object, or with TYPE a payload",
           Takes::file},
};

Answer<int> enqueue_bulk(Invocation& invocation, const std::string& type,
                         const std::string& defaults) {
    const Args& args = invocation.args;
    for (const char* single : {"--payload", "--id", "--idempotency-key"})
        if (args.has(single))
            return give_up(
                kUsage,
                std::string(single) + " applies to a single job and can't be used with --jsonl",
                "put it in the lines: {\"type\":...,\"payload\":...,\"id\":...}");
    if (args.has("--wait"))
        return give_up(kUsage, "--wait and --jsonl can't be used together",
                       "jobq enqueue --jsonl FILE -q | jobq wait -");
    return enqueue_lines(invocation, type, defaults);
}

// The payload's member of the request; without any payload the job has no arguments.
Answer<std::string> payload_of(const Args& args, bool quiet) {
    auto text =
        args.has("--payload") ? read_payload(args.text("--payload")) : read_piped_payload(quiet);
    if (!text) return text;
    if (text->empty()) return std::string("\"args\":[]");
    return payload_member(*text);
}

Answer<int> run_enqueue(Invocation& invocation) {
    const Args& args = invocation.args;
    const std::string type = args.words.empty() ? "" : args.words.front();
    if (!type.empty())
        if (auto good = check_type(type); !good) return tl::unexpected(good.error());
    auto request = JsonWriter::object();
    if (auto added = add_job_options(args, request); !added) return tl::unexpected(added.error());
    if (args.has("--jsonl")) return enqueue_bulk(invocation, type, request.done());
    if (type.empty())
        return give_up(kUsage, "`jobq enqueue` needs a TYPE, or --jsonl FILE",
                       "jobq enqueue email --payload mail.json");
    const auto payload = payload_of(args, invocation.out.quiet());
    if (!payload) return tl::unexpected(payload.error());
    request.field("type", type);
    std::string jid = args.text("--id");
    if (jid.empty()) {
        jid = new_jid();
        request.field("jid", jid);
    }
    std::string json = request.done();
    json.pop_back();
    json += "," + *payload + "}";
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const auto submitted = submit(*client, invocation.out, json, jid);
    if (!submitted) return tl::unexpected(submitted.error());
    if (!args.has("--wait")) {
        print_submitted(invocation.out, *submitted);
        return kDone;
    }
    print_remarks(invocation.out, *submitted);
    const auto limit = args.duration_ms("--timeout");
    return see_through(*client, invocation.out, submitted->jid, *limit);
}

}  // namespace

const Verb kEnqueue{.name = "enqueue",
                    .usage = "TYPE",
                    .summary = "Enqueue a job and print its id",
                    .examples =
                        "jobq enqueue email --payload mail.json --wait\n"
                        "echo '{\"to\":\"a@example.org\"}' | jobq enqueue email\n"
                        "generate | jobq enqueue --jsonl -",
                    .options = kOptions,
                    .more = job_options(),
                    .min_words = 0,
                    .max_words = 1,
                    .run = run_enqueue};

}  // namespace jobq::cli
