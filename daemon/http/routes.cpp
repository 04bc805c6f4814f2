#include "daemon/http/routes.h"

#include <algorithm>

#include "core/base/text.h"
#include "daemon/http/route_tables.h"

namespace jobq {
namespace {

// Nothing: it is not this template. Else what stands for its names, as it was sent.
std::optional<std::vector<std::string_view>> match(std::string_view pattern,
                                                   std::string_view path) {
    std::vector<std::string_view> taken;
    while (true) {
        size_t brace = pattern.find('{');
        std::string_view plain = pattern.substr(0, brace);
        if (brace == pattern.npos) {
            if (plain != path) return std::nullopt;
            return taken;
        }
        if (!path.starts_with(plain)) return std::nullopt;
        path.remove_prefix(plain.size());
        size_t end = std::min(path.find('/'), path.size());
        if (end == 0) return std::nullopt;
        taken.push_back(path.substr(0, end));
        path.remove_prefix(end);
        pattern.remove_prefix(pattern.find('}') + 1);
    }
}

std::vector<Route> joined() {
    std::vector<Route> all;
    for (const auto part : {job_routes(), work_routes(), about_routes()})
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

// "/jobs/x" is "/api/v1/jobs/x".
std::string long_path(std::string_view path) {
    constexpr std::string_view kFolder = "/api/v1";
    constexpr std::pair<std::string_view, std::string_view> kShort[] = {
        {"/failed", "/dead"}, {"/failed/requeue", "/dead/retry"}, {"/stats", "/stats"}};
    for (const auto& [from, to] : kShort)
        if (path == from) return std::string(kFolder) + std::string(to);
    const bool jobs = path == "/jobs" || path.starts_with("/jobs/") || path.starts_with("/jobs:");
    return std::string(jobs ? kFolder : "") + std::string(path);
}

}  // namespace

std::span<const Route> routes() {
    static const std::vector<Route> all = joined();
    return all;
}

Result<Found> find_route(std::string_view method, std::string_view given) {
    if (method == "HEAD") method = "GET";
    const std::string path = long_path(given);
    Found found;
    for (const auto& route : routes()) {
        auto taken = match(route.path, path);
        if (!taken) continue;
        found.allow += (found.allow.empty() ? "" : ", ") + std::string(route.method);
        if (route.method == "GET") found.allow += ", HEAD";
        if (route.method != method) continue;
        for (std::string_view one : *taken) {
            auto text = decoded_part(one, false);
            if (!text) return tl::unexpected<Error>(text.error());
            found.path.push_back(std::move(*text));
        }
        found.route = &route;
        return found;
    }
    return found;
}

}  // namespace jobq
