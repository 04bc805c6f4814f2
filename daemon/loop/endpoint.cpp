// Endpoint: where a socket is, as people write it. Called for [listen], --connect and redis URLs.
#include "core/base/limits.h"
#include "core/base/text.h"
#include "daemon/loop/stream.h"

namespace jobq {
namespace {

constexpr std::string_view kForms =
    "expected unix:PATH, tcp://HOST:PORT, tcp+tls://HOST:PORT or HOST:PORT";

Result<Endpoint> unix_endpoint(std::string_view path) {
    if (path.starts_with("//")) path.remove_prefix(2);
    if (path.empty()) return fail(ErrorCode::invalid, "the socket path after \"unix:\" is empty");
    if (path.find('\0') != std::string_view::npos)
        return fail(ErrorCode::invalid, "the socket path contains a NUL byte");
    if (path.size() > limits::kUnixPathBytes)
        return fail(ErrorCode::invalid, "the socket path " + std::string(path) + " has " +
                                            std::to_string(path.size()) + " bytes; the limit is " +
                                            std::to_string(limits::kUnixPathBytes));
    Endpoint endpoint;
    endpoint.unix_path = std::string(path);
    return endpoint;
}

}  // namespace

std::string Endpoint::text() const {
    if (!unix_path.empty()) return "unix:" + unix_path;
    bool v6 = host.find(':') != std::string::npos;
    std::string shown = v6 ? "[" + host + "]" : host;
    return (tls ? "tcp+tls://" : "tcp://") + shown + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    std::string whole(text);
    if (text.starts_with("unix:")) return unix_endpoint(text.substr(5));
    constexpr std::string_view kPlain = "tcp://", kTls = "tcp+tls://";
    bool tls = text.starts_with(kTls);
    if (tls) {
        text.remove_prefix(kTls.size());
    } else if (text.starts_with(kPlain)) {
        text.remove_prefix(kPlain.size());
    }
    // The password of a URL must not come back in an error, nor stand in a command line at all.
    if (text.find('@') != std::string_view::npos)
        return fail(
            ErrorCode::invalid,
            "the address must not contain a user or password; put the password in JOBQ_PASSWORD");
    if (text.starts_with("/"))
        return fail(ErrorCode::invalid, "\"" + whole + "\" is a path; use unix:" + whole);
    std::string_view host, port;
    if (text.starts_with("[")) {
        size_t end = text.find("]:");
        if (end == std::string_view::npos)
            return fail(ErrorCode::invalid, "\"" + whole + "\": expected [ADDRESS]:PORT");
        host = text.substr(1, end - 1);
        port = text.substr(end + 2);
    } else {
        size_t colon = text.rfind(':');
        if (colon == std::string_view::npos)
            return fail(ErrorCode::invalid,
                        "\"" + whole + "\" has no port: " + std::string(kForms));
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (host.find(':') != std::string_view::npos)
            return fail(ErrorCode::invalid,
                        "\"" + whole + "\": put an IPv6 address in brackets, [::1]:7419");
    }
    auto number = parse_int(port);
    if (!number || *number < 0 || *number > 65'535)
        return fail(ErrorCode::invalid,
                    "\"" + whole + "\": the port must be a number from 0 to 65535");
    if (host.empty() || host.find_first_of("/@ \t\r\n") != std::string_view::npos ||
        host.find('\0') != std::string_view::npos)
        return fail(ErrorCode::invalid, "\"" + whole + "\": " + std::string(kForms));
    Endpoint endpoint;
    endpoint.host = std::string(host);
    endpoint.port = int(*number);
    endpoint.tls = tls;
    return endpoint;
}

}  // namespace jobq
