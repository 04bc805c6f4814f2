#include "tests/support/collector.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace jobq::test {
namespace {

using nlohmann::json;

void want(bool good, const std::string& what) {
    if (!good) throw std::runtime_error("not OTLP: " + what);
}

// Exactly the keys of `must`, and of `may`.
void want_keys(const json& object, const std::string& where, std::set<std::string> must,
               const std::set<std::string>& may = {}) {
    want(object.is_object(), where + " is no object");
    for (const auto& [key, value] : object.items()) {
        want(must.erase(key) == 1 || may.count(key) == 1, where + " has " + key);
        want(!value.is_null(), where + "." + key + " is null");
    }
    want(must.empty(), where + " lacks " + (must.empty() ? "" : *must.begin()));
}

std::string hex_id(const json& value, size_t digits, const std::string& where) {
    want(value.is_string(), where + " is no string");
    auto id = value.get<std::string>();
    want(id.size() == digits && id.find_first_not_of("0123456789abcdef") == id.npos,
         where + " is not " + std::to_string(digits) + " digits: " + id);
    want(id.find_first_not_of('0') != id.npos, where + " is all zeros");
    return id;
}

int64_t decimal(const json& value, const std::string& where) {
    want(value.is_string(), where + " is no string");
    auto text = value.get<std::string>();
    std::string digits = text.substr(text.starts_with('-') ? 1 : 0);
    want(!digits.empty() && digits.size() <= 19 &&
             digits.find_first_not_of("0123456789") == digits.npos &&
             (digits == "0" || digits[0] != '0'),
         where + " is no integer: " + text);
    return std::stoll(text);
}

// Nanoseconds since 1970: of this century, and jobq knows no finer ones than microseconds.
int64_t time_us(const json& value, const std::string& where) {
    int64_t ns = decimal(value, where);
    want(ns > 1'600'000'000'000'000'000 && ns % 1'000 == 0, where + " is no time of now");
    return ns / 1'000;
}

std::map<std::string, json> attributes_of(const json& list, const std::string& where) {
    want(list.is_array(), where + " is no array");
    std::map<std::string, json> found;
    for (const auto& one : list) {
        want_keys(one, where, {"key", "value"});
        auto key = one["key"].get<std::string>();
        const auto& value = one["value"];
        want(value.is_object() && value.size() == 1, where + "." + key + " has no one value");
        json decoded;
        if (value.contains("stringValue")) {
            want(value["stringValue"].is_string(), where + "." + key + " is no string");
            decoded = value["stringValue"];
        } else {
            want(value.contains("intValue"), where + "." + key + " is of no known type");
            decoded = decimal(value["intValue"], where + "." + key);
        }
        want(found.emplace(key, decoded).second, where + "." + key + " is there twice");
    }
    return found;
}

CollectedSpan span_of(const json& one) {
    want_keys(one, "span",
              {"traceId", "spanId", "name", "kind", "flags", "startTimeUnixNano", "endTimeUnixNano",
               "attributes"},
              {"parentSpanId", "events", "status"});
    CollectedSpan span;
    span.trace = hex_id(one["traceId"], 32, "traceId");
    span.id = hex_id(one["spanId"], 16, "spanId");
    if (one.contains("parentSpanId")) span.parent = hex_id(one["parentSpanId"], 16, "parentSpanId");
    span.name = one["name"].get<std::string>();
    want(!span.name.empty(), "a span without a name");
    want(one["kind"].is_number_integer() && one["flags"].is_number_integer(), "kind or flags");
    span.kind = one["kind"];
    span.flags = one["flags"];
    want(span.kind >= 1 && span.kind <= 5, "kind of " + std::to_string(span.kind));
    span.start_us = time_us(one["startTimeUnixNano"], "startTimeUnixNano");
    span.end_us = time_us(one["endTimeUnixNano"], "endTimeUnixNano");
    want(span.start_us <= span.end_us, span.name + " ends before it starts");
    span.attributes = attributes_of(one["attributes"], span.name);
    if (one.contains("status")) {
        want_keys(one["status"], "status", {"code"}, {"message"});
        span.status = one["status"]["code"].get<int>();
        span.status_message = one["status"].value("message", "");
    }
    for (const auto& event : one.value("events", json::array())) {
        want_keys(event, "event", {"name", "timeUnixNano", "attributes"});
        want(event["name"] == "exception", "an event that is no exception");
        int64_t at = time_us(event["timeUnixNano"], "timeUnixNano");
        want(span.start_us <= at && at <= span.end_us, "an event outside its span");
        span.exceptions.push_back(attributes_of(event["attributes"], "event"));
    }
    return span;
}

HttpReceiver::Answer takes_all() {
    return [](const ReceivedRequest&) { return HttpReceiver::reply(200, "{}"); };
}

}  // namespace

std::string CollectedSpan::text(const std::string& key) const {
    auto found = attributes.find(key);
    if (found == attributes.end()) return "";
    return found->second.is_string() ? found->second.get<std::string>() : found->second.dump();
}

std::vector<CollectedSpan> decode_otlp(const std::string& body,
                                       std::map<std::string, json>* resource) {
    const json whole = json::parse(body);
    want_keys(whole, "the request", {"resourceSpans"});
    want(whole["resourceSpans"].is_array() && whole["resourceSpans"].size() == 1, "resourceSpans");
    const auto& one = whole["resourceSpans"][0];
    want_keys(one, "resourceSpans", {"resource", "scopeSpans"});
    want_keys(one["resource"], "resource", {"attributes"});
    auto about = attributes_of(one["resource"]["attributes"], "resource");
    for (const char* key : {"service.name", "service.version", "service.instance.id", "host.name"})
        want(about.count(key) == 1, std::string("resource lacks ") + key);
    if (resource) *resource = about;
    want(one["scopeSpans"].is_array() && one["scopeSpans"].size() == 1, "scopeSpans");
    const auto& scope = one["scopeSpans"][0];
    want_keys(scope, "scopeSpans", {"scope", "spans"});
    want_keys(scope["scope"], "scope", {"name", "version"});
    want(scope["spans"].is_array() && !scope["spans"].empty(), "no spans");
    std::vector<CollectedSpan> spans;
    for (const auto& span : scope["spans"])
        spans.push_back(span_of(span));
    return spans;
}

Collector::Collector() : Collector(takes_all()) {}

Collector::Collector(TestAuthority::Pair tls) : Collector(takes_all(), 0, std::move(tls)) {}

Collector::Collector(HttpReceiver::Answer answer, int port, std::optional<TestAuthority::Pair> tls)
    : receiver_(std::move(answer), port, std::move(tls)) {}

std::string Collector::config(const std::string& more) const {
    return "[trace]\nendpoint = \"" + endpoint() + "\"\n" + more + "\n";
}

std::vector<CollectedSpan> Collector::spans() const {
    std::vector<CollectedSpan> all;
    for (const auto& request : receiver_.requests()) {
        want(request.method == "POST" && request.target == "/v1/traces",
             request.method + " " + request.target);
        want(request.headers.at("content-type") == "application/json", "its content type");
        auto some = decode_otlp(request.body);
        want(some.size() <= 512, "a request with " + std::to_string(some.size()) + " spans");
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

std::map<std::string, json> Collector::resource() const {
    std::map<std::string, json> resource;
    for (const auto& request : receiver_.requests())
        decode_otlp(request.body, &resource);
    return resource;
}

std::vector<CollectedSpan> spans_of(const std::vector<CollectedSpan>& spans,
                                    const std::string& jid) {
    std::vector<CollectedSpan> found;
    for (const auto& span : spans)
        if (span.text("messaging.message.id") == jid) found.push_back(span);
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.start_us < b.start_us; });
    // Of those that start together the parent is first.
    for (size_t i = 0; i + 1 < found.size(); ++i)
        for (size_t k = i + 1; k < found.size(); ++k)
            if (found[i].parent == found[k].id) std::swap(found[i], found[k]);
    return found;
}

void check_links(const std::vector<CollectedSpan>& spans) {
    std::map<std::string, const CollectedSpan*> by_id;
    for (const auto& span : spans)
        want(by_id.emplace(span.id, &span).second, "the span " + span.name + " is there twice");
    for (const auto& span : spans) {
        auto parent = by_id.find(span.parent);
        if (parent == by_id.end()) continue;
        want(parent->second->trace == span.trace, span.name + " has a parent of another trace");
        // When a job was enqueued is known to the millisecond.
        want(parent->second->start_us / 1000 <= span.start_us / 1000,
             span.name + " begins before its parent");
    }
}

}  // namespace jobq::test
