#include "core/tls/gnutls.h"

#include "core/base/library.h"

namespace jobq {
namespace {

Result<Gnutls> find_functions() {
    auto library = SharedLibrary::open("libgnutls.so.30", "libgnutls30");
    if (!library) return tl::unexpected<Error>(library.error());
    Gnutls found;
    bool whole = true;
#define JOBQ_FIND(name) whole = library->find_into(found.name, "gnutls_" #name) && whole;
    JOBQ_GNUTLS_FUNCTIONS(JOBQ_FIND)
#undef JOBQ_FIND
    // A variable that holds the function.
    auto* release = static_cast<gnutls_free_function*>(library->find("gnutls_free"));
    if (!whole || release == nullptr)
        return fail(ErrorCode::unavailable,
                    "libgnutls.so.30 is too old; jobq requires GnuTLS 3.6.5");
    found.free = *release;
    return found;
}

}  // namespace

Result<const Gnutls*> load_gnutls() {
    static const Result<Gnutls> loaded = find_functions();
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    return &*loaded;
}

}  // namespace jobq
