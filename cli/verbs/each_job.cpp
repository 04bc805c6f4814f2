#include "cli/verbs/each_job.h"

#include <string>
#include <vector>

#include "cli/input/input.h"
#include "cli/terminal/show.h"

namespace jobq::cli {

Answer<int> each_job(Invocation& invocation, const JobShow& show) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    Output& out = invocation.out;
    Records records(out);
    int missing = 0;
    auto shown =
        each_ids(invocation.args.words, [&](const std::vector<std::string>& jids) -> Answer<> {
            const auto reply =
                client->call("STATUS", JsonWriter::object().field("jids", jids).done());
            if (!reply) return tl::unexpected(Failure(reply.error()));
            for (const JsonView job : JsonView(*reply)["jobs"].items()) {
                const bool found = !job["error"].exists();
                missing += found ? 0 : 1;
                if (!out.is_text()) {
                    if (found)
                        show.machine(records, job);
                    else
                        records.add(job.raw());
                } else if (!found) {
                    out.note("job '" + printable(job["jid"].text()) +
                             "' does not exist; the record of a finished job is removed after the "
                             "retention of its type");
                } else if (out.quiet()) {
                    out.line(job["jid"].text());
                } else {
                    show.text(out, job);
                }
            }
            return {};
        });
    if (!shown) return tl::unexpected(shown.error());
    if (!out.is_text()) records.end();
    return missing == 0 ? kDone : kNotFound;
}

}  // namespace jobq::cli
