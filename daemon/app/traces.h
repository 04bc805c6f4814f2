// Traces: where the daemon's spans go, by [trace]. The Tracer is on while an endpoint is set; what
// sends is made anew when a reload changes [trace].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "daemon/app/part.h"
#include "daemon/app/state_files.h"
#include "daemon/loop/http_sender.h"
#include "daemon/observe/span_exporter.h"

namespace jobq {

// "Name: value" a line; # begins a comment. config: the file can't be read, or holds something
// else, or ca_file holds no certificate. `remark`: what is unwise about it, or "".
Result<std::vector<std::string>> read_trace_headers(const TraceConfig& config, std::string& remark);

class Traces final : public Part {
  public:
    // `files` has the name under which it sends.
    Traces(UvReactor& reactor, const ConfigPtr& config, Metrics& metrics, StateFiles& files);
    ~Traces() override;

    task<Result<>> start() override;
    Result<> prepare(const Config& fresh) override;
    task<void> reload() override;
    task<void> stop(Ending ending) override;

    Tracer& tracer() { return tracer_; }

  private:
    class Sender;

    // Nothing changes when it fails. Lets the old one send what waits first.
    task<Result<>> set(TraceConfig config);
    task<void> set_again();
    task<void> end_sender();

    UvReactor& reactor_;
    const ConfigPtr& config_;
    StateFiles& files_;
    Tracer tracer_;
    TraceConfig set_to_;
    std::vector<std::string> headers_;
    uint64_t changes_ = 0;
    std::unique_ptr<Sender> sender_;
    std::unique_ptr<SpanExporter> exporter_;
    Gate gate_;
};

}  // namespace jobq
