#include "daemon/http/site.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/net/host.h"
#include "core/net/network.h"
#include "core/net/web_url.h"

namespace jobq {
namespace {

constexpr std::string_view kForwardedFor = "X-Forwarded-For";

// All values of a header that is a list, in order, however many lines it has.
std::vector<std::string_view> list_of(const HttpRequest& request, std::string_view name) {
    std::vector<std::string_view> all;
    for (const auto& [key, value] : request.headers) {
        if (!same_word(key, name)) continue;
        for (std::string_view one : split(value, ','))
            all.push_back(trim(one));
    }
    return all;
}

// The nearest proxy has the last word.
std::optional<std::string> last_of(const HttpRequest& request, std::string_view name) {
    const auto all = list_of(request, name);
    if (all.empty() || all.back().empty()) return std::nullopt;
    return std::string(all.back());
}

// "HOST:PORT" without the port; of what a proxy writes the brackets may be missing.
std::string address_of(std::string_view peer) {
    auto bare = parse_host(peer);
    if (bare && is_ip_address(*bare)) return std::move(*bare);
    auto read = parse_host_port(peer);
    return read ? std::move(read->host) : std::string();
}

// From the nearest one on, the first that is no named proxy. When there is none, the nearest: only
// that one was written by our own proxy, the others may be a client's invention.
std::string client_before(const HttpRequest& request, const std::string& proxies) {
    const auto chain = list_of(request, kForwardedFor);
    std::string nearest;
    for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
        std::string address = address_of(*at);
        if (!is_ip_address(address)) break;
        if (!lists_address(proxies, address)) return address;
        if (nearest.empty()) nearest = std::move(address);
    }
    return nearest;
}

bool is_proxy(const HttpRequest& request, const std::string& proxies) {
    if (proxies.empty()) return false;
    if (!request.is_unix) return lists_address(proxies, address_of(request.peer));
    const auto names = split(proxies, ' ');
    return std::find(names.begin(), names.end(), kUnixPeer) != names.end();
}

}  // namespace

std::string_view base_of(const ListenConfig& listen) {
    std::string_view path = listen.http_base_path;
    if (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

bool Site::has_host(const std::string& host) const {
    if (host.empty()) return false;
    if (is_loopback(host) || host == bound) return true;
    // Who listens for other hosts is called by an address of his, or one that leads to him. A page
    // can have a browser ask for a name of its choice, but not for an address by such a name.
    if (is_ip_address(host) && !bound.empty() && !is_loopback(bound)) return true;
    const auto names = split(listen.http_hosts, ' ');
    auto is_it = [&](std::string_view name) { return !name.empty() && parse_host(name) == host; };
    if (std::any_of(names.begin(), names.end(), is_it)) return true;
    const auto origins = split(listen.http_origins, ' ');
    return std::any_of(origins.begin(), origins.end(), [&](std::string_view one) {
        auto origin = parse_page_origin(one);
        return origin && origin->host == host;
    });
}

bool Site::has_origin(std::string_view origin) const {
    const auto given = parse_page_origin(origin);
    if (!given) return false;
    const auto origins = split(listen.http_origins, ' ');
    return std::any_of(origins.begin(), origins.end(), [&](std::string_view one) {
        const auto listed = parse_page_origin(one);
        return listed && *listed == *given;
    });
}

Asked read_asked(const HttpRequest& request, const Site& site) {
    Asked asked;
    asked.peer = request.peer;
    if (const std::string* host = request.header("Host")) asked.host = *host;
    if (request.authority) asked.host = *request.authority;
    if (!is_proxy(request, site.listen.http_proxies)) return asked;
    asked.by_proxy = true;
    const std::string client = client_before(request, site.listen.http_proxies);
    if (!client.empty()) asked.peer = host_text(client) + ":0";
    if (auto proto = last_of(request, "X-Forwarded-Proto")) asked.scheme = ascii_lower(*proto);
    auto host = last_of(request, "X-Forwarded-Host");
    if (!host) return asked;
    const auto port = last_of(request, "X-Forwarded-Port");
    auto read = parse_host_port(*host);
    if (port && read && !read->port) *host += ":" + *port;
    asked.host = std::move(*host);
    return asked;
}

std::optional<std::string_view> path_here(const HttpRequest& request, const Site& site) {
    std::string_view path = request.path;
    const std::string_view base = base_of(site.listen);
    if (base.empty() || !path.starts_with(base)) return path;
    std::string_view rest = path.substr(base.size());
    if (rest.empty()) return std::nullopt;
    return rest.starts_with('/') ? rest : path;
}

std::string host_name(std::string_view host) {
    auto read = parse_host_port(host);
    if (!read) return "";
    if (read->host.ends_with('.')) read->host.pop_back();
    return std::move(read->host);
}

}  // namespace jobq
