// Traces: where the daemon's spans go, by [trace]. Owned by App, which gives the Broker the Tracer
// while an endpoint is set. What sends is made anew when a reload changes [trace].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "daemon/loop/http_sender.h"
#include "daemon/observe/span_exporter.h"

namespace jobq {

// "Name: value" a line; # begins a comment. config: the file can't be read, or holds something
// else, or ca_file holds no certificate. `remark`: what is unwise about it, or "".
Result<std::vector<std::string>> read_trace_headers(const TraceConfig& config, std::string& remark);

class Traces {
  public:
    Traces(UvReactor& reactor, Metrics& metrics, std::string instance);
    ~Traces();

    // Nothing changes when it fails. Lets the old one send what waits first.
    task<Result<>> set(TraceConfig config);
    task<void> stop();

    // Null: no traces are made.
    Tracer* tracer() { return exporter_ ? &tracer_ : nullptr; }

  private:
    class Sender;

    UvReactor& reactor_;
    Tracer tracer_;
    const std::string instance_;
    TraceConfig config_;
    std::vector<std::string> headers_;
    uint64_t changes_ = 0;
    std::unique_ptr<Sender> sender_;
    std::unique_ptr<SpanExporter> exporter_;
};

}  // namespace jobq
