// The files of the dashboard, as they are in this program: daemon/web, bundled when it was built
// (daemon/web/build.mjs writes the definitions). For the page's handlers.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace jobq {

struct WebFile {
    std::string_view name;  // "index.html", and those under /assets/, whose names have a hash
    std::string_view type;
    std::string_view plain, gzip;
};

// None: it was built without the dashboard, and web_missing() says why.
std::span<const WebFile> web_files();
std::string_view web_missing();

}  // namespace jobq
