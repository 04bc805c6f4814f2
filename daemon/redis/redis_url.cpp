// parse_redis_url: strict, since a mistyped address must be an error at start, not another Redis.
// Must stay true: no error text holds what stands before the "@".
#include "daemon/redis/redis_url.h"

#include <optional>

#include "core/base/text.h"

namespace jobq {
namespace {

constexpr int kDefaultPort = 6379;
constexpr int kMaxDatabase = 65'535;

tl::unexpected<Error> bad(std::string what) {
    return fail(
        ErrorCode::invalid,
        "the Redis URL " + what + "; use redis://[user:password@]host[:port][/db] or unix:/path");
}

std::optional<int> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        if (at + 2 >= text.size()) return std::nullopt;
        auto high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
        if (!high || !low) return std::nullopt;
        out += char(*high * 16 + *low);
        at += 2;
    }
    return out;
}

// Takes "[user]:password@" off the front of `rest`.
Result<> take_credentials(std::string_view& rest, RedisAddress& address) {
    size_t at = rest.substr(0, rest.find('/')).rfind('@');
    if (at == std::string_view::npos) return {};
    std::string_view both = rest.substr(0, at);
    rest.remove_prefix(at + 1);
    size_t colon = both.find(':');
    if (colon == std::string_view::npos) return bad("has a user but no password (user:password@)");
    auto user = percent_decoded(both.substr(0, colon));
    auto password = percent_decoded(both.substr(colon + 1));
    if (!user || !password) return bad("has an invalid %XX in its user or password");
    address.user = *user;
    address.password = *password;
    return {};
}

Result<> set_database(std::string_view text, RedisAddress& address) {
    auto number = parse_int(text);
    if (!number || *number < 0 || *number > kMaxDatabase)
        return bad("names the database \"" + printable(text) + "\", not a number");
    address.database = int(*number);
    return {};
}

Result<RedisAddress> parse_unix(std::string_view rest) {
    RedisAddress address;
    if (rest.starts_with("//")) {
        rest.remove_prefix(2);
        auto taken = take_credentials(rest, address);
        if (!taken) return tl::unexpected<Error>(taken.error());
    }
    size_t question = rest.find('?');
    if (question != std::string_view::npos) {
        std::string_view query = rest.substr(question + 1);
        rest = rest.substr(0, question);
        if (!query.starts_with("db=")) return bad("has an unknown option after \"?\" (only db=N)");
        auto set = set_database(query.substr(3), address);
        if (!set) return tl::unexpected<Error>(set.error());
    }
    auto endpoint = parse_endpoint("unix:" + std::string(rest));
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    address.endpoint = std::move(*endpoint);
    return address;
}

Result<RedisAddress> parse_tcp(std::string_view rest) {
    RedisAddress address;
    auto taken = take_credentials(rest, address);
    if (!taken) return tl::unexpected<Error>(taken.error());
    size_t slash = rest.find('/');
    if (slash != std::string_view::npos) {
        std::string_view database = rest.substr(slash + 1);
        rest = rest.substr(0, slash);
        auto set = database.empty() ? Result<>() : set_database(database, address);
        if (!set) return tl::unexpected<Error>(set.error());
    }
    std::string where(rest);
    bool has_port = rest.ends_with("]") ? false : rest.rfind(':') != std::string_view::npos;
    if (!has_port) where += ":" + std::to_string(kDefaultPort);
    auto endpoint = parse_endpoint(where);
    if (!endpoint) return bad("names no usable host and port");
    if (endpoint->port == 0) return bad("has port 0");
    address.endpoint = std::move(*endpoint);
    return address;
}

}  // namespace

std::string RedisAddress::text() const {
    if (!endpoint.unix_path.empty()) return endpoint.text();
    std::string where = endpoint.text().substr(sizeof "tcp://" - 1);
    std::string out = "redis://" + where;
    if (database != 0) out += "/" + std::to_string(database);
    return out;
}

Result<RedisAddress> parse_redis_url(std::string_view url) {
    if (url.starts_with("unix:")) return parse_unix(url.substr(5));
    if (url.starts_with("redis://")) return parse_tcp(url.substr(8));
    if (url.starts_with("rediss://"))
        return fail(ErrorCode::invalid,
                    "the Redis URL asks for TLS (rediss://), which jobq does not support for "
                    "Redis; use a local proxy such as stunnel, or a Unix socket");
    return bad("has an unknown scheme");
}

}  // namespace jobq
