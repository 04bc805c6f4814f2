// The contract: every operation of the OpenAPI document, asked of a running jobqd as the document
// says, answers what the document says.
#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "tests/support/live/http_kit.h"

using namespace jobq::test;

namespace {

const Json& resolved(const Json& document, const Json& schema) {
    if (!schema.contains("$ref")) return schema;
    const std::string ref = schema.at("$ref");
    return document.at(Json::json_pointer(ref.substr(1)));
}

bool is_of(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    return false;
}

// "" or where `value` is not what `schema` says.
std::string mismatch(const Json& document, const Json& reference, const Json& value,
                     const std::string& at = "") {
    const Json& schema = resolved(document, reference);
    if (schema.contains("type") && !is_of(value, schema.at("type")))
        return at + " is no " + schema.at("type").get<std::string>() + ": " + value.dump();
    if (schema.contains("enum")) {
        const Json& words = schema.at("enum");
        if (std::find(words.begin(), words.end(), value) == words.end())
            return at + ": " + value.dump();
    }
    for (const auto& name : schema.value("required", Json::array()))
        if (!value.contains(name.get<std::string>())) return at + " lacks " + name.dump();
    const Json properties = schema.value("properties", Json::object());
    if (value.is_object())
        for (const auto& [name, member] : value.items()) {
            if (!properties.contains(name)) continue;
            auto wrong = mismatch(document, properties.at(name), member, at + "." + name);
            if (!wrong.empty()) return wrong;
        }
    if (value.is_array() && schema.contains("items"))
        for (const auto& element : value) {
            auto wrong = mismatch(document, schema.at("items"), element, at + "[]");
            if (!wrong.empty()) return wrong;
        }
    return "";
}

// A body that the document's schema allows, for this test's daemon.
const std::map<std::string, std::string> kBodies{
    {"NewJob", R"({"type":"noop","payload":{"a":[1,2]},"queue":"other","priority":5})"},
    {"DeadFilter", R"({"all":true})"},
    {"NewOperation", R"({"action":"retry","filter":{"state":"dead","all":true},"rate":9})"}};

// A job in the state that the operation needs; "" when it names none.
std::string subject(const HttpDaemon& daemon, const std::string& operation) {
    const std::string later = R"({"type":"noop","delay_ms":600000})";
    if (operation == "getResult") {
        const std::string jid = daemon.enqueue(R"({"type":"echo","payload":1})");
        return daemon.becomes(jid, "succeeded") ? jid : "";
    }
    if (operation == "getAsset") {
        const std::string page = daemon.ask("GET", "/").body;
        std::smatch script;
        return std::regex_search(page, script, std::regex("assets/(app-[0-9a-f]+\\.js)"))
                   ? script[1].str()
                   : "";
    }
    if (operation.find("Queue") != std::string::npos) {
        daemon.json("POST", "/api/v1/queues/reports/pause");
        return "reports";
    }
    if (operation.find("Operation") != std::string::npos) {
        daemon.enqueue(later);
        return daemon
            .json("POST", "/api/v1/operations",
                  R"({"action":"retry","filter":{"state":"scheduled","all":true},"rate":1})", 202)
            .at("id");
    }
    return daemon.enqueue(later);
}

void check_operation(const HttpDaemon& daemon, const Json& document, const std::string& method,
                     const std::string& path, const Json& operation) {
    const std::string id = operation.at("operationId");
    INFO(id);
    // They have no end: see http_events_test.cpp and http_page_test.cpp.
    if (id == "streamEvents" || id == "streamLive") return;
    if (id == "getAsset" && subject(daemon, id).empty()) return;  // built without the dashboard
    std::string target = path, query;
    for (const auto& param : operation.at("parameters")) {
        const std::string name = param.at("name"), in = param.at("in");
        const std::string type = param.at("schema").at("type");
        if (in == "path")
            target = target.substr(0, target.find('{')) + subject(daemon, id) +
                     target.substr(target.find('}') + 1);
        const std::string value = name == "state"    ? "ready"
                                  : name == "since"  ? "2020-01-01T00:00:00Z"
                                  : name == "format" ? (id == "getResult" ? "json" : "jsonl")
                                  : type == "integer"
                                      ? std::to_string(param.at("schema").at("minimum").get<int>())
                                  : type == "boolean" ? "false"
                                                      : "x";
        // Not a cursor of no list, nor a status beside a state.
        if (in == "query" && name != "cursor" && name != "status")
            query += (query.empty() ? "?" : "&") + name + "=" + value;
    }
    std::string body;
    std::vector<std::string> headers;
    if (operation.contains("requestBody")) {
        const auto& content = operation.at("requestBody").at("content");
        const std::string ref = content.begin().value().at("schema").at("$ref");
        body = kBodies.at(ref.substr(ref.rfind('/') + 1)) + "\n";
        headers.push_back("Content-Type: " + content.begin().key());
    }
    for (const std::string& asked : std::set<std::string>{"", query}) {
        const auto answer = daemon.ask(method, target + asked, body, headers);
        INFO(target << asked << "\n" << answer.status << " " << answer.body);
        const Json& responses = operation.at("responses");
        // No worker of that name, no profiler in this build, a job that nobody holds: what may be
        // refused.
        const bool worker = id.find("Worker") != std::string::npos && id != "listWorkers";
        const bool may_conflict = id.starts_with("profile") || id == "releaseJob";
        const bool refused = worker || (may_conflict && answer.status == 409);
        const std::string status = refused ? "default" : std::to_string(answer.status);
        REQUIRE(responses.contains(status));
        const auto& content = responses.at(status).at("content");
        const std::string type = answer.headers.at("content-type");
        CHECK(content.begin().key() == type.substr(0, type.find(';')));
        const Json& schema = content.begin().value().at("schema");
        if (type == "application/octet-stream") {
            CHECK(!answer.body.empty());
            continue;
        }
        if (type.starts_with("text/")) {
            CHECK(mismatch(document, schema, Json(answer.body)) == "");
            continue;
        }
        for (size_t at = 0; at < answer.body.size();) {
            const size_t end = answer.body.find('\n', at);
            CHECK(mismatch(document, schema, Json::parse(answer.body.substr(at, end - at))) == "");
            at = end + 1;
        }
    }
}

}  // namespace

TEST_CASE("http: every operation of the OpenAPI document answers as it says") {
    HttpDaemon daemon;
    const Json document = daemon.json("GET", "/api/openapi.json");
    CHECK(document.at("openapi") == "3.1.0");
    std::set<std::string> ids;
    for (const auto& [path, methods] : document.at("paths").items())
        for (const auto& [method, operation] : methods.items()) {
            std::string upper = method;
            for (char& c : upper)
                c = char(std::toupper(static_cast<unsigned char>(c)));
            check_operation(daemon, document, upper, path, operation);
            CHECK(ids.insert(operation.at("operationId")).second);
        }
    CHECK(ids.size() > 20);
}

TEST_CASE("http: the OpenAPI document holds no reference to nothing, and no schema for nobody") {
    HttpDaemon daemon;
    const std::string text = daemon.ask("GET", "/api/openapi.json").body;
    const Json schemas = Json::parse(text).at("components").at("schemas");
    std::set<std::string> used;
    const std::regex ref("#/components/schemas/([A-Za-z]+)");
    for (std::sregex_iterator at(text.begin(), text.end(), ref), end; at != end; ++at)
        used.insert((*at)[1]);
    std::set<std::string> there;
    for (const auto& [name, schema] : schemas.items())
        there.insert(name);
    CHECK(used == there);
}

TEST_CASE("http: the members of a job in the document are those that ENQUEUE takes") {
    HttpDaemon daemon;
    const Json document = daemon.json("GET", "/api/openapi.json");
    const auto refused = daemon.ask("POST", "/api/v1/jobs", R"({"type":"a","nonsense":1})");
    const std::string known = Json::parse(refused.body).at("detail");
    const Json schema = document.at("components").at("schemas").at("NewJob").at("properties");
    for (const auto& [name, property] : schema.items()) {
        INFO(name);
        CHECK(daemon.ask("POST", "/api/v1/jobs", "{\"" + name + "\":{}}")
                  .body.find("unknown field") == std::string::npos);
        CHECK(known.find(" " + name) != std::string::npos);
    }
    size_t names = 1;
    for (char c : known.substr(known.find("the known ")))
        names += c == ',';
    CHECK(names == schema.size());
}
