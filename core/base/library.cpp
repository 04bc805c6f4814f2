#include "core/base/library.h"

#include <dlfcn.h>

namespace jobq {

Result<SharedLibrary> SharedLibrary::open(const std::string& soname, const std::string& package) {
    void* handle = ::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) return SharedLibrary(handle);
    const char* why = ::dlerror();
    return fail(ErrorCode::unavailable, "can't load " + soname + " (" +
                                            std::string(why != nullptr ? why : "no reason given") +
                                            "); install the package " + package);
}

void* SharedLibrary::find(const char* symbol) const {
    return ::dlsym(handle_, symbol);
}

}  // namespace jobq
