#include "daemon/loop/curl.h"

#include <string>

#include "core/base/library.h"

namespace jobq {
namespace {

constexpr unsigned kOldest = 0x075700;  // 7.87.0: CURLOPT_QUICK_EXIT

// With OpenSSL first: it keeps the authorities it read, with GnuTLS they are read for each
// connection, 30 ms of the loop (Debian 12).
Result<SharedLibrary> open_one() {
    auto library = SharedLibrary::open("libcurl.so.4", "libcurl4");
    if (library) return library;
    auto other = SharedLibrary::open("libcurl-gnutls.so.4", "libcurl3-gnutls");
    if (other) return other;
    return library;
}

Result<Curl> find_functions() {
    auto library = open_one();
    if (!library) return tl::unexpected<Error>(library.error());
    Curl found;
    bool whole = true;
#define JOBQ_FIND(name) whole = library->find_into(found.name, "curl_" #name) && whole;
    JOBQ_CURL_FUNCTIONS(JOBQ_FIND)
#undef JOBQ_FIND
    if (!whole) return fail(ErrorCode::unavailable, "libcurl lacks a function");
    if (found.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(ErrorCode::unavailable, "can't initialize libcurl");
    const auto* version = found.version_info(CURLVERSION_NOW);
    if (version->version_num < kOldest || !(version->features & CURL_VERSION_ASYNCHDNS))
        return fail(ErrorCode::unavailable,
                    "libcurl " + std::string(version->version) +
                        " is too old or resolves names on the calling thread; install 7.87 or "
                        "later with the threaded resolver");
    return found;
}

}  // namespace

Result<const Curl*> load_curl() {
    static const Result<Curl> loaded = find_functions();
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    return &*loaded;
}

}  // namespace jobq
