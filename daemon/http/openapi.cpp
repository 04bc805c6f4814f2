#include "daemon/http/openapi.h"

#include <map>
#include <vector>

#include "core/base/version.h"
#include "core/json/writer.h"
#include "daemon/http/routes.h"

namespace jobq {
namespace {

void write_param(JsonWriter& json, std::string_view name, std::string_view in,
                 std::string_view help, const Param* param) {
    json.begin_object().field("name", name).field("in", in).field("description", help);
    if (in == "path") json.field("required", true);
    json.key("schema").begin_object();
    bool integer = param && param->kind == Param::Kind::integer;
    bool flag = param && param->kind == Param::Kind::flag;
    json.field("type", integer ? "integer" : flag ? "boolean" : "string");
    if (integer) json.field("minimum", param->min).field("maximum", param->max);
    json.end_object().end_object();
}

void write_content(JsonWriter& json, std::string_view type, std::string_view schema) {
    json.key("content").begin_object().key(type).begin_object().key("schema").begin_object();
    if (type.starts_with("text/")) json.field("type", "string");
    if (!schema.empty()) json.field("$ref", "#/components/schemas/" + std::string(schema));
    json.end_object().end_object().end_object();
}

// The {names} of a path.
std::vector<std::string_view> names_in(std::string_view path) {
    std::vector<std::string_view> names;
    for (size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1))
        names.push_back(path.substr(at + 1, path.find('}', at) - at - 1));
    return names;
}

void write_params(JsonWriter& json, const Route& route) {
    json.key("parameters").begin_array();
    for (std::string_view name : names_in(route.path))
        write_param(json, name, "path", "its name or id, percent-encoded", nullptr);
    for (const Param& param : route.query)
        write_param(json, param.name, "query", param.help, &param);
    if (route.id == "enqueueJob")
        write_param(json, "Idempotency-Key", "header",
                    "a request with the same key within a day creates no second job", nullptr);
    json.end_array();
}

void write_route(JsonWriter& json, const Route& route) {
    std::string method(route.method);
    for (char& c : method)
        c = char(c - 'A' + 'a');
    json.key(method).begin_object();
    json.field("operationId", route.id).field("summary", route.summary);
    write_params(json, route);
    if (!route.request.empty()) {
        json.key("requestBody").begin_object().field("required", true);
        write_content(json, route.streams_body ? "application/jsonl" : "application/json",
                      route.request);
        json.end_object();
    }
    json.key("responses").begin_object().key(std::to_string(route.status)).begin_object();
    json.field("description", route.summary);
    write_content(json, route.status < 400 ? route.type : "application/problem+json", route.answer);
    json.end_object();
    if (route.id == "enqueueJob") {
        json.key("200").begin_object().field("description", "It existed already");
        write_content(json, route.type, route.answer);
        json.end_object();
    }
    if (route.id == "readyz") {
        json.key("503").begin_object().field("description", "Refused temporarily");
        write_content(json, route.type, route.answer);
        json.end_object();
    }
    json.key("default").begin_object().field("description", "What went wrong");
    write_content(json, "application/problem+json", "Problem");
    json.end_object().end_object().end_object();
}

std::string make_document() {
    std::map<std::string_view, std::vector<const Route*>> paths;
    for (const Route& route : routes())
        paths[route.path].push_back(&route);
    JsonWriter json;
    json.begin_object().field("openapi", "3.1.0").key("info").begin_object();
    json.field("title", "jobq").field("version", version());
    json.field("description",
               "Background jobs: enqueue, inspect and control them. See jobq-http(7).");
    json.end_object().key("paths").begin_object();
    for (const auto& [path, methods] : paths) {
        json.key(path).begin_object();
        for (const Route* route : methods)
            write_route(json, *route);
        json.end_object();
    }
    json.end_object().key("components").begin_object().key("schemas").begin_object();
    for (const Schema& schema : schemas())
        json.key(schema.name).raw(schema.json);
    json.end_object().end_object().end_object();
    std::string text = json.take();
    std::erase(text, '\n');  // between the tokens of the schemas
    return text + "\n";
}

}  // namespace

std::string openapi_document(std::string_view base) {
    static const std::string document = make_document();
    if (base.empty()) return document;
    JsonWriter servers;
    servers.begin_array().begin_object().field("url", base).end_object().end_array();
    return "{\"servers\":" + servers.take() + "," + document.substr(1);
}

}  // namespace jobq
