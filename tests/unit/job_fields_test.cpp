// core/job/job_fields: each row of the table is kept, checked, taken from a client, and offered on
// the command line.
#include "core/job/job_fields.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <type_traits>

#include "cli/enqueue/bulk_line.h"
#include "cli/enqueue/job_options.h"
#include "core/job/codec.h"
#include "core/json/view.h"
#include "core/protocol/job_wire.h"
#include "tests/support/full_job.h"

using namespace jobq;

namespace {

constexpr int64_t kNow = 1'790'000'000'000;

Job small_job() {
    Job job;
    job.jid = "jid-of-a-job";
    job.type = "t";
    job.args = "[]";
    return job;
}

// A value that is out of the field's bounds, or the default when it has none.
void spoil(const JobField<std::string>& field, std::string& value) {
    if (field.form == TextForm::plain) value = std::string(size_t(field.most) + 1, 'x');
    if (field.form == TextForm::json_array || field.form == TextForm::json_object) value = "\"";
}

template <class Int>
void spoil(const JobField<Int>& field, Int& value) {
    if (field.most != INT64_MAX) value = Int(field.most + 1);
}

template <class Int>
void spoil(const JobField<std::optional<Int>>& field, std::optional<Int>& value) {
    value = Int(field.most + 1);
}

std::string sample_of(std::string_view schema) {
    if (schema.find("array") != schema.npos) return R"(["a"])";
    if (schema.find("integer") != schema.npos) return "7";
    return schema.find("boolean") != schema.npos ? "true" : R"("sample-text")";
}

}  // namespace

TEST_CASE("job fields: each is kept in the envelope, and all together") {
    std::set<char> tags;
    for_each_job_field([&](const auto& field) {
        INFO(field.name);
        Job job = small_job();
        test::set_sample(field, job.*field.member);
        REQUIRE_FALSE(job.*field.member == Job().*field.member);
        const auto read = decode_job(job.jid, encode_job(job, false));
        REQUIRE(read);
        CHECK(*read == job);
        if (field.tag) CHECK(tags.insert(field.tag).second);
    });
    const Job full = test::full_job();
    const std::string envelope = encode_job(full, false);
    CHECK(*decode_job(full.jid, envelope) == full);
    // Where scripts and previews look for them.
    const std::string head = full.queue + std::string(kChecksumBytes, '\0');
    CHECK(envelope[3 + head.size()] == 't');
    CHECK(envelope.ends_with(full.args));
}

TEST_CASE("job fields: each is checked against the bounds of its row") {
    CHECK(validate(test::full_job()));
    size_t refused = 0;
    for_each_job_field([&](const auto& field) {
        INFO(field.name);
        Job job = small_job();
        spoil(field, job.*field.member);
        if (job == small_job()) return;
        const auto valid = validate(job);
        REQUIRE_FALSE(valid);
        CHECK(valid.error().text.starts_with(field.name));
        ++refused;
    });
    CHECK(refused >= 15);
}

TEST_CASE("job fields: a head is without what is for the handler alone") {
    const Job full = test::full_job(), head = head_of(full);
    for_each_job_field([&](const auto& field) {
        INFO(field.name);
        CHECK((head.*field.member == full.*field.member) == !field.for_handler);
    });
}

TEST_CASE("job fields: what becomes a member as it is arrives there, and nowhere else") {
    for_each_job_field([&](const auto& field) {
        INFO(field.name);
        if (!field.said.as_it_is) return;
        CHECK(field.said.as.empty());
        const std::string value = sample_of(field.said.schema);
        std::string text = "{\"" + std::string(field.name) + "\":" + value;
        text += field.name == "type" ? "}" : R"(,"type":"t"})";
        const auto request = parse_enqueue(text, kNow, "jid-of-a-job");
        REQUIRE(request);
        Job wanted = small_job();
        wanted.created_ms = kNow;
        if constexpr (std::is_same_v<decltype(field.member), std::string Job::*>)
            wanted.*field.member = JsonView(value).text();
        else
            wanted.*field.member = 7;
        wanted.may_be_known = request->job.may_be_known;
        wanted.reuse = request->job.reuse;
        CHECK(request->job == wanted);
    });
}

TEST_CASE("job fields: no member is known and not read") {
    for (const auto& field : kSaidFields) {
        INFO(field.name);
        // An object is of no member's kind but a payload's.
        const std::string type = field.name == "type" ? "" : R"("type":"t",)";
        const auto request = parse_enqueue("{" + type + "\"" + std::string(field.name) + "\":{}}",
                                           kNow, "jid-of-a-job");
        CHECK(request.has_value() == (field.name == "payload"));
    }
}

TEST_CASE("job fields: a name that nobody knows is refused with one that is meant") {
    const auto refusal = [](const std::string& name) {
        return parse_enqueue("{\"type\":\"t\",\"" + name + "\":1}", kNow, "jid-of-a-job")
            .error()
            .text;
    };
    CHECK(refusal("prioritty") == R"(unknown field "prioritty"; did you mean "priority"?)");
    CHECK(refusal("max_atempts") == R"(unknown field "max_atempts"; did you mean "max_attempts"?)");
    const std::string list = refusal("bogus");
    for (const auto& field : kSaidFields) {
        INFO(field.name);
        CHECK(list.find(" " + std::string(field.name)) != list.npos);
    }
    CHECK(refusal(std::string(100'000, 'x')).size() < 1'000);
}

TEST_CASE("job fields: each option of a row is one of jobq enqueue, each name one of a line") {
    const auto options = cli::job_options();
    for (const auto& field : kSaidFields) {
        INFO(field.name);
        const Said& said = field.said;
        const auto is_it = [&said](const cli::Option& option) {
            return option.name == said.option;
        };
        CHECK(std::any_of(options.begin(), options.end(), is_it) == !said.option.empty());
        CHECK((said.option.empty() || !said.help.empty()));
        for (const auto name : {field.name, said.alias}) {
            if (name.empty() || name == "type") continue;
            INFO(name);
            const std::string line =
                R"({"type":"t",")" + std::string(name) + "\":" + sample_of(said.schema) + "}";
            const auto made = cli::parse_bulk_line(line, "", "{}");
            // Of the wrong form perhaps, never unknown.
            if (!made) CHECK(made.error().text.find("no member") == std::string::npos);
            if (made) CHECK(JsonView(made->request)[field.name].exists());
        }
    }
}
