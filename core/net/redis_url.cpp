// parse_redis_url: strict, since a mistyped address must be an error at start, not another Redis.
#include "core/net/redis_url.h"

#include "core/base/text.h"
#include "core/net/bad_address.h"
#include "core/net/url.h"

namespace jobq {
namespace {

constexpr int kDefaultPort = 6379;
constexpr int kMaxDatabase = 65'535;
constexpr std::string_view kUnix = "unix:";

Result<> set_database(std::string_view text, RedisAddress& address) {
    const auto number = parse_int(text);
    if (!number || *number < 0 || *number > kMaxDatabase)
        return bad_address("its database is not a number from 0 to " +
                           std::to_string(kMaxDatabase));
    address.database = int(*number);
    return {};
}

Result<> set_login(const std::optional<Login>& login, RedisAddress& address) {
    if (!login) return {};
    if (!login->password) return bad_address("it has a user but no password (user:password@)");
    address.user = login->user;
    address.password = *login->password;
    return {};
}

// unix:PATH[?db=N] and, with a login, unix://[USER:PASSWORD@]/PATH[?db=N].
Result<RedisAddress> parse_unix(std::string_view text) {
    RedisAddress address;
    std::string_view path = text.substr(kUnix.size());
    std::optional<std::string_view> query;
    if (path.starts_with("//")) {
        auto url = parse_url(text, AtSign::may_be_in_path);
        if (!url) return tl::unexpected<Error>(url.error());
        if (!url->at.host.empty() || url->path.empty())
            return bad_address("behind unix:// is no path that begins with /");
        if (url->has_fragment) return bad_address("there is a # behind its path");
        auto set = set_login(url->login, address);
        if (!set) return tl::unexpected<Error>(set.error());
        path = url->path;
        query = url->query;
    } else if (const size_t question = path.find('?'); question != path.npos) {
        query = path.substr(question + 1);
        path = path.substr(0, question);
    }
    if (query && !query->starts_with("db="))
        return bad_address("it has an unknown option after \"?\" (only db=N)");
    auto set = query ? set_database(query->substr(3), address) : Result<>();
    if (!set) return tl::unexpected<Error>(set.error());
    auto endpoint = unix_endpoint(path);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    address.endpoint = std::move(*endpoint);
    return address;
}

Result<RedisAddress> parse_tcp(std::string_view text) {
    auto url = parse_url(text, AtSign::ends_login);
    if (!url) return tl::unexpected<Error>(url.error());
    if (url->scheme == "rediss")
        return bad_address(
            "it asks for TLS (rediss://), which jobq does not support for Redis; use a local proxy "
            "such as stunnel, or a Unix socket");
    if (url->scheme != "redis") return bad_address("its scheme is unknown");
    if (url->at.host.empty()) return bad_address("it names no host");
    if (url->at.port == 0) return bad_address("nothing listens on port 0");
    if (url->query || url->has_fragment) return bad_address("there is a ? or # behind its host");
    RedisAddress address;
    auto set = set_login(url->login, address);
    if (set && url->path.size() > 1) set = set_database(url->path.substr(1), address);
    if (!set) return tl::unexpected<Error>(set.error());
    address.endpoint.host = std::move(url->at.host);
    address.endpoint.port = url->at.port.value_or(kDefaultPort);
    return address;
}

}  // namespace

std::string RedisAddress::text() const {
    if (endpoint.is_unix()) return endpoint.text();
    std::string out = "redis://" + host_text(endpoint.host) + ":" + std::to_string(endpoint.port);
    if (database != 0) out += "/" + std::to_string(database);
    return out;
}

Result<RedisAddress> parse_redis_url(std::string_view url) {
    if (url.find('\0') != url.npos) return bad_address("it contains a NUL byte");
    return url.starts_with(kUnix) ? parse_unix(url) : parse_tcp(url);
}

}  // namespace jobq
