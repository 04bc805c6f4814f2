#include "daemon/http/microhttpd.h"

#include "core/base/library.h"

namespace jobq {
namespace {

Result<Microhttpd> find_functions() {
    auto library = SharedLibrary::open("libmicrohttpd.so.12", "libmicrohttpd12");
    if (!library) return tl::unexpected<Error>(library.error());
    Microhttpd found;
    bool whole = true;
#define JOBQ_FIND(name) whole = library->find_into(found.name, "MHD_" #name) && whole;
    JOBQ_MICROHTTPD_FUNCTIONS(JOBQ_FIND)
#undef JOBQ_FIND
    if (!whole) return fail(ErrorCode::unavailable, "libmicrohttpd.so.12 lacks a function");
    return found;
}

}  // namespace

Result<const Microhttpd*> load_microhttpd() {
    static const Result<Microhttpd> loaded = find_functions();
    if (!loaded) return tl::unexpected<Error>(loaded.error());
    return &*loaded;
}

}  // namespace jobq
