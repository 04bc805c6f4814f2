// The dashboard: its page at / and what the page loads from /assets/. Built without it, the page
// says so, and what there is instead.
#include <algorithm>

#include "core/base/text.h"
#include "core/base/version.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/gzip.h"
#include "daemon/http/problem.h"
#include "daemon/http/web_files.h"

namespace jobq::api {
namespace {

// Nothing but its own files and its own API, and no page may show it in a frame.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const WebFile* find_file(std::string_view name) {
    auto files = web_files();
    auto is_it = [name](const WebFile& file) { return file.name == name; };
    auto file = std::find_if(files.begin(), files.end(), is_it);
    return file == files.end() ? nullptr : &*file;
}

HttpResponse serve(const HttpRequest& request, const WebFile& file) {
    HttpResponse response;
    bool packed = takes_gzip(request);
    response.type = file.type;
    response.body = packed ? file.gzip : file.plain;
    if (packed) response.headers.emplace_back("Content-Encoding", "gzip");
    response.headers.emplace_back("Vary", "Accept-Encoding");
    return response;
}

HttpResponse plain_page() {
    HttpResponse response;
    response.type = "text/html; charset=utf-8";
    response.body =
        "<!doctype html>\n<html lang=\"en\"><head><meta "
        "charset=\"utf-8\"><title>jobqd</title></head>\n"
        "<body><h1>jobqd " +
        std::string(version()) +
        "</h1>\n"
        "<p>This is the HTTP API of jobqd. This build has no dashboard: " +
        std::string(web_missing()) +
        ".</p>\n<p>To get it, install nodejs and npm, configure with <code>cmake -D "
        "JOBQ_DASHBOARD=ON</code>, and build again.</p>\n<ul>\n"
        "<li><a href=\"api/openapi.json\">/api/openapi.json</a>: all addresses</li>\n"
        "<li><a href=\"api/v1/stats\">/api/v1/stats</a>: totals, queues, pools</li>\n"
        "<li><a href=\"api/v1/dead\">/api/v1/dead</a>: dead jobs</li>\n"
        "<li><a href=\"metrics\">/metrics</a>: figures for Prometheus</li>\n</ul>\n"
        "<p>In a terminal: <code>jobq top</code>, <code>jobq stats</code>, <code>man "
        "jobq-http</code>.</p></body></html>\n";
    return response;
}

}  // namespace

task<HttpResponse> page(ApiCall call) {
    const WebFile* file = find_file("index.html");
    if (!file) co_return plain_page();
    HttpResponse response = serve(call.request(), *file);
    response.headers.emplace_back("Content-Security-Policy", kPolicy);
    response.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    co_return response;
}

// Its name has a hash of what is in it: it never changes.
task<HttpResponse> asset(ApiCall call) {
    const WebFile* file = find_file(call.path.front());
    if (!file || file->name == "index.html")
        co_return problem({ErrorCode::not_found,
                           "the dashboard of this jobqd has no such file; reload the page"});
    HttpResponse response = serve(call.request(), *file);
    response.headers.emplace_back("Cache-Control", "public, max-age=31536000, immutable");
    co_return response;
}

}  // namespace jobq::api
