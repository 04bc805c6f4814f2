// The bodies of the HTTP API as JSON Schema, for the OpenAPI document. The contract test compares
// each with what a running jobqd answers. What is of a job follows from core/job/job_fields.h.
#include "core/base/text.h"
#include "core/job/job_fields.h"
#include "daemon/http/openapi.h"

namespace jobq {
namespace {

// "name":schema, of what a client may say of a job.
std::string said_properties() {
    std::string text;
    for (const auto& field : kSaidFields)
        text.append(text.empty() ? "" : ",")
            .append(json_quoted(field.name))
            .append(1, ':')
            .append(field.said.schema);
    return text;
}

// The same of what a view of a job has of its fields.
std::string shown_properties() {
    std::string text;
    for_each_job_field([&](const auto& field) {
        if (field.shown != Shown::never)
            text.append(json_quoted(field.shown_as)).append(1, ':').append(field.schema) += ',';
    });
    return text;
}

const std::string& new_job() {
    static const std::string text =
        R"({"type":"object","required":["type"],"additionalProperties":false,"properties":{)" +
        said_properties() + "}}";
    return text;
}

const std::string& job() {
    static const std::string text =
        R"({"type":"object","required":["jid","type","queue","state","priority","attempts",
"errors","has_result"],"properties":{)" +
        shown_properties() + R"("state":{"type":"string"},"attempts":{"type":"integer"},
"args_bytes":{"type":"integer"},"args_cut":{"type":"boolean"},"args_preview":{"type":"string"},
"attempt":{"type":"integer"},"next_at":{"type":"string"},"started_at":{"type":"string"},
"finished_at":{"type":"string"},"completed_at":{"type":"string"},"job_id":{"type":"string"},
"status":{"type":"string","enum":["pending","running","completed","failed"]},"duration_ms":{"type":"integer"},"user_cpu_ms":{"type":"integer"},
"system_cpu_ms":{"type":"integer"},"max_rss_kib":{"type":"integer"},
"exit_code":{"type":"integer"},"signal":{"type":"integer"},"worker":{"type":"string"},
"cancel_asked":{"type":"boolean"},"crashes":{"type":"integer"},"reason":{"type":"string"},
"errors":{"type":"array","items":{"type":"object"}},"note":{"type":"string"},
"why":{"type":"string"},"ahead":{"type":"integer"},
"held_by":{"type":"array","items":{"type":"object"}},
"has_result":{"type":"boolean"}}})";
    return text;
}

constexpr Schema kSchemas[] = {
    {"Enqueued", R"({"type":"object","required":["job_id","jid","state","how","durability"],
"properties":{"job_id":{"type":"string"},"jid":{"type":"string"},"state":{"type":"string"},
"how":{"type":"string","enum":["stored","existing","same"]},"durability":{"type":"string"},
"note":{"type":"string"}}})"},
    {"BulkResult", R"({"type":"object","required":["line"],"properties":{
"line":{"type":"integer"},"job_id":{"type":"string"},"jid":{"type":"string"},
"state":{"type":"string"},"how":{"type":"string"},"durability":{"type":"string"},
"note":{"type":"string"},"code":{"type":"string"},"detail":{"type":"string"}}})"},
    {"JobPage", R"({"type":"object","required":["jobs","looked_at","next"],"properties":{
"jobs":{"type":"array","items":{"$ref":"#/components/schemas/Job"}},
"looked_at":{"type":"integer"},"next":{"type":"string"}}})"},
    {"Outcome", R"({"type":"object","required":["jid","ok"],"properties":{
"jid":{"type":"string"},"ok":{"type":"boolean"},"was":{"type":"string"}}})"},
    {"JobResult", R"({"type":"object","required":["jid","state"],"properties":{
"jid":{"type":"string"},"state":{"type":"string"},"result":{},"text":{"type":"string"},
"b64":{"type":"string"},"binary":{"type":"boolean"},"attempt":{"type":"integer"},"left_out_at":{"type":"integer"},
"left_out":{"type":"integer"},"more":{"type":"boolean"}}})"},
    {"LogLine", R"({"type":"object","properties":{"attempt":{"type":"integer"},
"stream":{"type":"string","enum":["stderr","stdout"]},"at":{"type":"integer"},
"time":{"type":"string","format":"date-time"},"text":{"type":"string"},
"b64":{"type":"string"},"left_out":{"type":"integer"},"end":{"type":"boolean"},"state":{"type":"string"},
"outcome":{"type":"string"},"exit_code":{"type":"integer"},"signal":{"type":"integer"}}})"},
    {"DeadFilter", R"({"type":"object","additionalProperties":false,"properties":{
"type":{"type":"string"},"queue":{"type":"string"},"tag":{"type":"string"},
"error":{"type":"string"},"text":{"type":"string"},"group":{"type":"string"},
"since":{"type":"string","format":"date-time"},"all":{"type":"boolean"},"dry_run":{"type":"boolean"},"cursor":{"type":"string"},
"limit":{"type":"integer"}}})"},
    {"DeadRetried", R"({"type":"object","required":["matched","retried","groups","next"],
"properties":{"matched":{"type":"integer"},"retried":{"type":"integer"},
"groups":{"type":"array","items":{"type":"object","required":["group","type","error_type",
"message","count"]}},"next":{"type":"string"}}})"},
    {"DeadGroups", R"({"type":"object","required":["groups","others","looked_at","total",
"partial"],"properties":{"groups":{"type":"array","items":{"type":"object","required":["group",
"type","error_type","message","reason","count","retrying","newest_at","oldest_at","example",
"filter"],"properties":{"group":{"type":"string"},"retrying":{"type":"integer"},
"type":{"type":"string"},"error_type":{"type":"string"},"message":{"type":"string"},
"reason":{"type":"string"},"count":{"type":"integer"},"newest_at":{"type":"string"},
"oldest_at":{"type":"string"},"example":{"type":"string"},
"filter":{"$ref":"#/components/schemas/JobFilter"}}}},"others":{"type":"integer"},
"looked_at":{"type":"integer"},"total":{"type":"integer"},"partial":{"type":"boolean"}}})"},
    {"JobFilter", R"({"type":"object","required":["state"],"additionalProperties":false,
"properties":{"state":{"type":"string"},"queue":{"type":"string"},"type":{"type":"string"},
"tag":{"type":"string"},"error":{"type":"string"},"text":{"type":"string"},
"group":{"type":"string"},"since":{"type":"string","format":"date-time"},"all":{"type":"boolean"}}})"},
    {"NewOperation", R"({"type":"object","required":["action","filter"],
"additionalProperties":false,"properties":{
"action":{"type":"string","enum":["retry","cancel","remove"]},
"filter":{"$ref":"#/components/schemas/JobFilter"},
"rate":{"type":"integer","minimum":0}}})"},
    {"Operation", R"({"type":"object","required":["id","action","state","filter","started_at",
"looked_at","matched","done","failed"],"properties":{"id":{"type":"string"},
"action":{"type":"string","enum":["retry","cancel","remove"]},
"state":{"type":"string","enum":["running","finished","cancelled","failed"]},
"filter":{"$ref":"#/components/schemas/JobFilter"},"rate":{"type":"integer"},
"started_at":{"type":"string"},"ended_at":{"type":"string"},"total":{"type":"integer"},
"looked_at":{"type":"integer"},"matched":{"type":"integer"},"done":{"type":"integer"},
"failed":{"type":"integer"},"trouble":{"type":"string"},"stopping":{"type":"boolean"}}})"},
    {"Operations", R"({"type":"object","required":["operations"],"properties":{
"operations":{"type":"array","items":{"$ref":"#/components/schemas/Operation"}}}})"},
    {"Queue", R"({"type":"object","required":["name","size","paused","latency_ms"],
"properties":{"name":{"type":"string"},"size":{"type":"integer"},"paused":{"type":"boolean"},
"latency_ms":{"type":"integer"}}})"},
    {"Queues", R"({"type":"object","required":["queues","total","next"],"properties":{
"queues":{"type":"array","items":{"$ref":"#/components/schemas/Queue"}},
"total":{"type":"integer"},"next":{"type":"string"}}})"},
    {"Stats", R"({"type":"object","required":["pending","running","completed","failed","total",
"now","version","uptime_s","jobs","queues","pools"],"properties":{
"pending":{"type":"integer"},"running":{"type":"integer"},"completed":{"type":"integer"},
"failed":{"type":"integer"},"total":{"type":"integer"},"now":{"type":"string"},
"version":{"type":"string"},"uptime_s":{"type":"integer"},"jobs":{"type":"object"},
"queues_total":{"type":"integer"},
"queues":{"type":"array","items":{"$ref":"#/components/schemas/Queue"}},
"pools":{"type":"array","items":{"type":"object"}}}})"},
    {"Workers", R"({"type":"object","required":["workers"],"properties":{
"workers":{"type":"array","items":{"type":"object","required":["wid","kind","state","jobs"],
"properties":{"wid":{"type":"string"},"kind":{"type":"string"},"state":{"type":"string"},
"jobs":{"type":"array","items":{"type":"object"}}}}}}})"},
    {"Done", R"({"type":"object","required":["ok"],"properties":{"ok":{"type":"boolean"}}})"},
    {"Cleared", R"({"type":"object","required":["removed"],
"properties":{"removed":{"type":"integer"}}})"},
    {"Ping", R"({"type":"object","required":["version","pid","state"],"properties":{
"version":{"type":"string"},"pid":{"type":"integer"},"state":{"type":"string"}}})"},
    {"Health", R"({"type":"object","required":["status"],"properties":{
"status":{"type":"string"},"reason":{"type":"string"}}})"},
    {"Problem", R"({"type":"object","required":["title","status","code","detail","retryable"],
"properties":{"title":{"type":"string"},"status":{"type":"integer"},"code":{"type":"string"},
"detail":{"type":"string"},"retryable":{"type":"boolean"}}})"},
};

}  // namespace

std::vector<Schema> schemas() {
    std::vector<Schema> all(std::begin(kSchemas), std::end(kSchemas));
    all.push_back({"NewJob", new_job()});
    all.push_back({"Job", job()});
    return all;
}

}  // namespace jobq
