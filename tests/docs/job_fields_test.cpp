// What may be said of a job and what is shown of it is in the manual pages, and each member of Job
// that is kept has its row in core/job/job_fields.h.
#include "core/job/job_fields.h"

#include <catch2/catch.hpp>
#include <regex>

#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

using namespace jobq;

namespace {

const std::string kRoot = std::string(test::kSourceDir) + "/";

// The text from `start` to `end`.
std::string part(const std::string& path, const std::string& start, const std::string& end) {
    const std::string text = test::read_file(kRoot + path);
    const size_t from = text.find(start);
    REQUIRE(from != text.npos);
    return text.substr(from, text.find(end, from + start.size()) - from);
}

bool has_word(const std::string& text, std::string_view word) {
    return std::regex_search(text, std::regex("(^|[^a-z_])" + std::string(word) + "($|[^a-z_])"));
}

}  // namespace

TEST_CASE("docs: jobq-protocol(7) has each member of ENQUEUE and of a whole job", "[docs]") {
    const std::string said = part("man/jobq-protocol.7", ".It Ic JOBQ ENQUEUE", "\n.It ");
    for (const auto& field : kSaidFields) {
        INFO(field.name);
        CHECK(has_word(said, field.name));
    }
    const std::string shown = part("man/jobq-protocol.7", ".It Ic JOBQ STATUS", "\n.It ");
    for_each_job_field([&](const auto& field) {
        INFO(field.name);
        if (field.shown == Shown::with_whole_job) CHECK(has_word(shown, field.shown_as));
    });
}

TEST_CASE("docs: jobq(1) has each option of a job, and its name in a line of --jsonl", "[docs]") {
    const std::string verb = part("man/jobq.1", ".Ss enqueue", "\n.Ss ");
    const std::string line = part("man/jobq.1", "Otherwise the line is an object", "written as on");
    for (const auto& field : kSaidFields) {
        const Said& said = field.said;
        if (said.option.empty()) continue;
        INFO(said.option);
        // "--queue" is .Fl -queue there.
        CHECK(verb.find(".It Fl " + std::string(said.option.substr(1))) != verb.npos);
        CHECK(line.find(".Ql " + std::string(said.alias.empty() ? field.name : said.alias)) !=
              line.npos);
    }
}

TEST_CASE("docs: each member of Job that is kept has its row", "[docs]") {
    const std::string job = part("core/job/job.h", "struct Job {", "// Said at enqueue");
    const std::string rows = part("core/job/job_fields.h", "kJobFields", "Calls f(row)");
    const std::regex member("\n    [a-z0-9_:<>]+ ([a-z_]+)( = [^;]*)?;");
    size_t members = 0, known = 0;
    for (std::sregex_iterator at(job.begin(), job.end(), member), end; at != end; ++at) {
        const std::string name = (*at)[1];
        INFO(name);
        CHECK(has_word(rows, "&Job::" + name));
        ++members;
    }
    for_each_job_field([&](const auto& /*field*/) { ++known; });
    CHECK(members == known);
}
