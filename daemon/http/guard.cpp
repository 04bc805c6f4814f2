#include "daemon/http/guard.h"

#include <algorithm>
#include <cstddef>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/net/web_url.h"
#include "daemon/http/problem.h"

namespace jobq {
namespace {

HttpResponse closing(HttpResponse response) {
    response.close = true;
    return response;
}

// The library cuts text at a NUL, takes a line feed for the end of a line, and adds what is folded
// below an empty value to the name: so that a length may be lost, and a body is read as the next
// request. The size of the head tells: with all names and values, it is that of a head in which
// each colon is followed by one space, or none is. Of an empty value both are usual.
bool has_another_form(const HttpRequest& request) {
    if (request.head_bytes == 0) return false;
    constexpr size_t kAround = 3, kEnd = 2;  // a colon and the line's end; the empty line
    size_t bytes = request.first_line_bytes + kEnd;
    auto empty = std::ptrdiff_t(0);
    for (const auto& [name, value] : request.headers) {
        bytes += name.size() + value.size() + kAround;
        empty += value.empty();
    }
    const auto spaces = std::ptrdiff_t(request.head_bytes) - std::ptrdiff_t(bytes);
    const auto all = std::ptrdiff_t(request.headers.size());
    if (spaces == 0 || spaces == all - empty) return false;
    // With more of them what is missing after some could make up for what was folded.
    constexpr std::ptrdiff_t kFew = 2;
    return empty > kFew || spaces < all - empty || spaces > all;
}

// Whether the page of this origin is one of this server: the port of a scheme need not stand there.
bool is_origin(std::string_view origin, const std::string& own) {
    if (ascii_lower(origin) == ascii_lower(own)) return true;
    const auto given = parse_page_origin(origin), known = parse_page_origin(own);
    return given && known && *given == *known;
}

}  // namespace

// Two lengths, a length and chunks, other codings, two hosts.
std::optional<HttpResponse> guard_form(const HttpRequest& request) {
    size_t lengths = request.count("Content-Length"), codings = request.count("Transfer-Encoding");
    const std::string* coding = request.header("Transfer-Encoding");
    const std::string* length = request.header("Content-Length");
    bool digits = !length || (!length->empty() && length->size() <= 18 &&
                              std::all_of(length->begin(), length->end(),
                                          [](char c) { return c >= '0' && c <= '9'; }));
    if (request.count("Host") > 1)
        return closing(problem({ErrorCode::invalid, "the header Host is given twice"}));
    if (lengths + codings > 1 || !digits)
        return closing(problem(
            {ErrorCode::invalid, "the length of the body is given twice or is not a number"}));
    if (coding && !same_word(*coding, "chunked"))
        return closing(
            problem({ErrorCode::invalid, "the only supported Transfer-Encoding is chunked"}, 501));
    if (has_another_form(request))
        return closing(
            problem({ErrorCode::invalid,
                     "the request head is malformed: a NUL, a line that ends without CR, a folded "
                     "header, or space other than one blank after each colon"}));
    for (const auto& [name, value] : request.headers) {
        bool strange = name.find_first_of(" \t") != name.npos ||
                       value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos;
        if (strange) return closing(problem({ErrorCode::invalid, "a header is malformed"}));
    }
    return std::nullopt;
}

std::optional<HttpResponse> guard_host(const HttpRequest& request, const Asked& asked,
                                       const Site& site) {
    if (request.is_unix) return std::nullopt;
    // Programs of old; each browser names one.
    if (!asked.host && request.is_http_1_0) return std::nullopt;
    const std::string host = asked.host.value_or("");
    if (site.has_host(host_name(host))) return std::nullopt;
    return problem(
        {ErrorCode::forbidden, "jobqd does not serve the host name " +
                                   json_quoted(printable(utf8_prefix(to_utf8(host), 100))) +
                                   "; use localhost, or add the name to [listen] http_hosts"},
        421);
}

std::optional<HttpResponse> guard_origin(const HttpRequest& request, const Asked& asked,
                                         const Site& site) {
    if (is_safe(request.method)) return std::nullopt;
    const std::string* from = request.header("Sec-Fetch-Site");
    const std::string* origin = request.header("Origin");
    if (origin && site.has_origin(*origin)) return std::nullopt;
    bool foreign = from && *from != "same-origin" && *from != "none";
    if (origin) {
        bool own = false;
        for (const std::string scheme : {"http", "https"})
            own = own || ((!asked.scheme || *asked.scheme == scheme) && asked.host &&
                          is_origin(*origin, scheme + "://" + *asked.host));
        foreign = foreign || !own;
    }
    if (!foreign) return std::nullopt;
    return problem({ErrorCode::forbidden,
                    "a page of another site sent this request; only pages of jobqd itself and "
                    "programs may change anything; if this page is that of jobqd behind a proxy, "
                    "add its origin, such as https://jobs.example.com, to [listen] http_origins"});
}

bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

std::string given_password(const HttpRequest& request) {
    const std::string* field = request.header("Authorization");
    std::string given;
    if (field && field->size() > 7 && same_word(field->substr(0, 7), "Bearer "))
        given = std::string(trim(std::string_view(*field).substr(7)));
    if (field && field->size() > 6 && same_word(field->substr(0, 6), "Basic ")) {
        auto pair = base64_decode(trim(std::string_view(*field).substr(6)));
        size_t colon = pair ? pair->find(':') : std::string::npos;
        if (colon != std::string::npos) given = pair->substr(colon + 1);
    }
    return given;
}

}  // namespace jobq
