// Each field of a job that is shown is in its view and in the OpenAPI document, under one name and
// as one kind.
#include "daemon/server/job_view.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "daemon/http/openapi.h"
#include "tests/daemon/session_rig.h"
#include "tests/support/full_job.h"

using namespace jobq;
using namespace jobq::test;
using Json = nlohmann::json;

namespace {

bool is_of(const Json& value, const std::string& type) {
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    return type == "integer" ? value.is_number_integer() : value.is_string();
}

}  // namespace

TEST_CASE("job view: it has each field that is shown, and no other") {
    SessionRig<MemoryStore> rig;
    JobView view;
    view.job = full_job();
    view.args_bytes = int64_t(view.job.args.size());
    JsonWriter json;
    write_job(json, view, rig.broker, why_facts(view, rig.broker), JobDetail::payload);
    const std::string text = json.take();
    const Json shown = Json::parse(text);
    const Json schema =
        Json::parse(openapi_document()).at("components").at("schemas").at("Job").at("properties");
    for_each_job_field([&](const auto& field) {
        INFO(field.name);
        if (field.shown == Shown::never) {
            CHECK(text.find("sample-" + std::string(field.name)) == std::string::npos);
            return;
        }
        const std::string name(field.shown_as);
        REQUIRE(shown.contains(name));
        REQUIRE(schema.contains(name));
        CHECK(schema.at(name) == Json::parse(field.schema));
        CHECK(is_of(shown.at(name), schema.at(name).at("type")));
    });
    for (const auto& [name, value] : shown.items()) {
        INFO(name);
        CHECK(schema.contains(name));
    }
}

TEST_CASE("job view: the OpenAPI document has each member that a client may say") {
    const Json schema = Json::parse(openapi_document())
                            .at("components")
                            .at("schemas")
                            .at("NewJob")
                            .at("properties");
    CHECK(schema.size() == kSaidFields.size());
    for (const auto& field : kSaidFields) {
        INFO(field.name);
        REQUIRE(schema.contains(std::string(field.name)));
        CHECK(schema.at(std::string(field.name)) == Json::parse(field.said.schema));
    }
}
