#include "daemon/app/traces.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cctype>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/net/web_url.h"
#include "core/tls/tls.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr size_t kHeadersBytes = 16 << 10;
constexpr std::string_view kPath = "/v1/traces";

std::string url_of(std::string endpoint) {
    while (endpoint.ends_with('/'))
        endpoint.pop_back();
    return endpoint.ends_with(kPath) ? endpoint : endpoint + std::string(kPath);
}

TraceResource resource_of(const TraceConfig& config, const std::string& instance) {
    utsname host{};
    uname(&host);
    return {{"service.name", config.service_name},
            {"service.version", std::string(version())},
            {"service.instance.id", instance},
            {"host.name", host.nodename}};
}

bool is_header(std::string_view line) {
    const size_t colon = line.find(':');
    if (colon == 0 || colon == line.npos) return false;
    auto token = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; };
    auto plain = [](unsigned char c) { return c >= ' ' && c != 0x7f; };
    const std::string_view name = line.substr(0, colon), value = line.substr(colon + 1);
    return std::all_of(name.begin(), name.end(), token) && !trim(value).empty() &&
           std::all_of(value.begin(), value.end(), plain);
}

}  // namespace

// What it sends is a SpanExporter's; one request at a time.
class Traces::Sender final : public SpanSender {
  public:
    Sender(UvReactor& reactor, std::string url, std::vector<std::string> headers,
           std::string ca_file)
        : url_(std::move(url)),
          ca_file_(std::move(ca_file)),
          headers_(std::move(headers)),
          http_(reactor),
          gate_(reactor) {
        headers_.push_back("Content-Type: application/json");
        headers_.push_back("User-Agent: jobqd/" + std::string(version()));
    }

    task<CollectorAnswer> send(std::string body, int64_t limit_ms) override {
        HttpPost request;
        request.url = url_;
        request.headers = headers_;
        request.body = std::move(body);
        request.total_ms = limit_ms;
        request.ca_file = ca_file_;
        auto reply = co_await http_.post(std::move(request));
        CollectorAnswer answer;
        if (!reply) {
            answer.error = reply.error().text;
            co_return answer;
        }
        answer.status = reply->status;
        answer.retry_after_s = reply->retry_after_s;
        answer.body = std::move(reply->body);
        co_return answer;
    }

    void give_up() override { gate_.spawn(http_.stop()); }

    task<void> stop() {
        co_await http_.stop();
        co_await gate_.close();
    }

  private:
    const std::string url_, ca_file_;
    std::vector<std::string> headers_;
    HttpSender http_;
    Gate gate_;
};

Result<std::vector<std::string>> read_trace_headers(const TraceConfig& config,
                                                    std::string& remark) {
    std::vector<std::string> headers;
    if (config.endpoint.empty()) return headers;
    if (!config.ca_file.empty())
        if (auto ca = TlsContext::for_client(config.ca_file); !ca)
            return fail(ErrorCode::config, "trace.ca_file: " + ca.error().text);
    if (config.headers_file.empty()) return headers;
    auto file = read_small_file(config.headers_file, kHeadersBytes);
    if (!file) return fail(ErrorCode::config, "trace.headers_file: " + file.error().text);
    int number = 0;
    for (std::string_view line : split(file->text, '\n')) {
        ++number;
        line = trim(line);
        if (line.empty() || line.front() == '#') continue;
        if (!is_header(line))
            return fail(ErrorCode::config, "trace.headers_file: line " + std::to_string(number) +
                                               " of " + config.headers_file +
                                               " is not of the form Name: value");
        headers.emplace_back(line);
    }
    if (file->world_readable)
        remark = "every user of this host can read the headers for the collector in " +
                 config.headers_file + "; run chmod o-r on it";
    return headers;
}

Traces::Traces(UvReactor& reactor, const ConfigPtr& config, Metrics& metrics, StateFiles& files)
    : reactor_(reactor), config_(config), files_(files), tracer_(reactor, metrics), gate_(reactor) {
    tracer_.turn(false);
}

Traces::~Traces() = default;

task<Result<>> Traces::start() {
    TraceConfig wanted = config_->trace;
    auto good = co_await set(std::move(wanted));
    co_return good;
}

Result<> Traces::prepare(const Config& fresh) {
    std::string remark;
    auto headers = read_trace_headers(fresh.trace, remark);
    if (!headers) return tl::unexpected<Error>(headers.error());
    return {};
}

// Nobody waits until the old one has sent its spans.
task<void> Traces::reload() {
    gate_.spawn(set_again());
    co_return;
}

// Its file was read before.
task<void> Traces::set_again() {
    TraceConfig wanted = config_->trace;
    auto good = co_await set(std::move(wanted));
    if (!good) log(LogLevel::error, "config.error", good.error().text);
}

task<Result<>> Traces::set(TraceConfig config) {
    std::string remark;
    auto headers = read_trace_headers(config, remark);
    if (!headers) co_return tl::unexpected<Error>(headers.error());
    if (!remark.empty()) log(LogLevel::warn, "config.remark", remark);
    tracer_.set_ratio(config.sample_ratio);
    const bool same_way = config.endpoint == set_to_.endpoint && *headers == headers_ &&
                          config.ca_file == set_to_.ca_file &&
                          config.service_name == set_to_.service_name;
    set_to_ = std::move(config);
    if (same_way) co_return Result<>{};
    headers_ = std::move(*headers);
    const uint64_t change = ++changes_;
    co_await end_sender();
    // Another reload may have come meanwhile.
    if (change != changes_) co_return Result<>{};
    tracer_.turn(!set_to_.endpoint.empty());
    if (set_to_.endpoint.empty()) co_return Result<>{};
    sender_ =
        std::make_unique<Sender>(reactor_, url_of(set_to_.endpoint), headers_, set_to_.ca_file);
    exporter_ = std::make_unique<SpanExporter>(reactor_, tracer_, *sender_,
                                               resource_of(set_to_, files_.node_id()));
    exporter_->set_where(parse_web_url(set_to_.endpoint).value().text());
    exporter_->start();
    log(LogLevel::info, "trace.on", "", {{"collector", set_to_.endpoint}});
    co_return Result<>{};
}

task<void> Traces::end_sender() {
    auto exporter = std::move(exporter_);
    auto sender = std::move(sender_);
    if (!exporter) co_return;
    co_await exporter->stop();
    co_await sender->stop();
}

task<void> Traces::stop(Ending) {
    co_await gate_.close();
    co_await end_sender();
}

}  // namespace jobq
