#include "core/net/endpoint.h"

#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq {
namespace {

constexpr int kFaktoryPort = 7419;
constexpr std::string_view kForms =
    "; use unix:PATH, tcp://HOST:PORT, tcp+tls://HOST:PORT or HOST:PORT";

// A text that may hold a password is not shown.
tl::unexpected<Error> bad(std::string_view text, const std::string& why) {
    const bool secret = text.find('@') != text.npos;
    const std::string what =
        secret ? std::string("the address") : "the address \"" + printable(text) + "\"";
    return fail(ErrorCode::invalid, what + " can't be used: " + why + std::string(kForms));
}

// `text` is as it was given, `url` with a scheme.
Result<ServerAddress> from_url(std::string_view text, std::string_view url, bool needs_port) {
    auto read = parse_url(url, AtSign::ends_login);
    if (!read) return bad(text, read.error().text);
    if (read->scheme != "tcp" && read->scheme != "tcp+tls")
        return bad(text, "its scheme is unknown");
    if (read->at.host.empty()) return bad(text, "it names no host");
    if ((!read->path.empty() && read->path != "/") || read->query || read->has_fragment)
        return bad(text, "there is more behind its host and port");
    if (needs_port && !read->at.port) return bad(text, "it has no port");
    if (read->at.port == 0) return bad(text, "nothing listens on port 0");
    ServerAddress address;
    address.endpoint.host = std::move(read->at.host);
    address.endpoint.port = read->at.port.value_or(kFaktoryPort);
    address.endpoint.tls = read->scheme == "tcp+tls";
    address.login = std::move(read->login);
    return address;
}

// "unix:PATH" and "unix:///PATH"; what else stands behind "//" could be a user or a host.
Result<Endpoint> from_unix(std::string_view text) {
    std::string_view path = text.substr(sizeof "unix:" - 1);
    if (path.starts_with("//")) {
        path.remove_prefix(2);
        if (!path.empty() && !path.starts_with('/'))
            return fail(ErrorCode::invalid,
                        "the address can't be used: behind unix:// is no path that begins with /" +
                            std::string(kForms));
    }
    return unix_endpoint(path);
}

}  // namespace

std::string Endpoint::text() const {
    if (is_unix()) return "unix:" + unix_path;
    return (tls ? "tcp+tls://" : "tcp://") + host_text(host) + ":" + std::to_string(port);
}

Result<Endpoint> unix_endpoint(std::string_view path) {
    if (path.empty()) return fail(ErrorCode::invalid, "the socket path after \"unix:\" is empty");
    if (path.find('\0') != std::string_view::npos)
        return fail(ErrorCode::invalid, "the socket path contains a NUL byte");
    if (path.size() > limits::kUnixPathBytes)
        return fail(ErrorCode::invalid,
                    "the socket path " + printable(path) + " has " + std::to_string(path.size()) +
                        " bytes; the limit is " + std::to_string(limits::kUnixPathBytes) +
                        ": use a shorter path, or a symbolic link to the directory");
    Endpoint endpoint;
    endpoint.unix_path = std::string(path);
    return endpoint;
}

Result<ServerAddress> parse_server_address(std::string_view text) {
    const bool is_path = text.starts_with("/");
    if (is_path || text.starts_with("unix:")) {
        auto endpoint = is_path ? unix_endpoint(text) : from_unix(text);
        if (!endpoint) return tl::unexpected<Error>(endpoint.error());
        return ServerAddress{std::move(*endpoint), std::nullopt};
    }
    if (text.find("://") != text.npos) return from_url(text, text, false);
    return from_url(text, "tcp://" + std::string(text), true);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    auto address = parse_server_address(text);
    if (!address) return tl::unexpected<Error>(address.error());
    if (address->login)
        return fail(
            ErrorCode::invalid,
            "the address must not contain a user or password; put the password in JOBQ_PASSWORD");
    return std::move(address->endpoint);
}

Result<Endpoint> parse_tcp_listen(std::string_view text) {
    if (text.find(':') == text.npos) return fail(ErrorCode::invalid, "it has no port");
    auto read = parse_host_port(text);
    if (!read) return tl::unexpected<Error>(read.error());
    if (!read->port) return fail(ErrorCode::invalid, "it has no port");
    Endpoint endpoint;
    endpoint.host = std::move(read->host);
    endpoint.port = *read->port;
    return endpoint;
}

Result<Endpoint> parse_listen(std::string_view text) {
    if (!text.starts_with("unix:")) return parse_tcp_listen(text);
    auto endpoint = from_unix(text);
    if (endpoint && !endpoint->unix_path.starts_with('/'))
        return fail(ErrorCode::invalid, "the path of its socket does not begin with /");
    return endpoint;
}

}  // namespace jobq
