// Collector: takes traces as an OpenTelemetry collector does (POST /v1/traces, OTLP's JSON mapping)
// and is stricter than one: what it does not know, or is not of the right form, is an error of the
// test. An HTTP server that is none of ours.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/http_receiver.h"

namespace jobq::test {

struct CollectedSpan {
    std::string trace, id, parent;  // lower-case hex; parent "" for a root
    std::string name;
    int kind = 0, flags = 0, status = 0;
    int64_t start_us = 0, end_us = 0;
    std::string status_message;
    std::map<std::string, nlohmann::json> attributes;  // integers as numbers
    std::vector<std::map<std::string, nlohmann::json>> exceptions;

    std::string text(const std::string& key) const;  // "" when it is not there
};

// The spans of one request. Throws std::runtime_error naming the place that is not as it should be.
std::vector<CollectedSpan> decode_otlp(const std::string& body,
                                       std::map<std::string, nlohmann::json>* resource = nullptr);

class Collector {
  public:
    // Takes everything.
    Collector();
    // `answer` decides; spans of what it answers 200 to are taken.
    explicit Collector(HttpReceiver::Answer answer, int port = 0,
                       std::optional<TestAuthority::Pair> tls = std::nullopt);
    explicit Collector(TestAuthority::Pair tls);

    std::string endpoint() const { return receiver_.url(""); }

    // [trace] for a jobqd, with more keys.
    std::string config(const std::string& more = "") const;

    // Of all requests, in the order they came; each checked.
    std::vector<CollectedSpan> spans() const;
    std::map<std::string, nlohmann::json> resource() const;

    HttpReceiver& receiver() { return receiver_; }

  private:
    HttpReceiver receiver_;
};

// Those of one job, in the order of their starts; a parent before its child.
std::vector<CollectedSpan> spans_of(const std::vector<CollectedSpan>& spans,
                                    const std::string& jid);
// Throws when an id is there twice, or a child begins before its parent or is of another trace.
void check_links(const std::vector<CollectedSpan>& spans);

}  // namespace jobq::test
