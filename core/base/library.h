// A shared library that is loaded when it is first needed, for what most processes of jobq never
// use. Called by core/tls and daemon/http.
#pragma once

#include <string>

#include "core/base/error.h"

namespace jobq {

class SharedLibrary {
  public:
    // `unavailable` names the library and the package to install. It stays loaded for ever.
    static Result<SharedLibrary> open(const std::string& soname, const std::string& package);

    // Null when there is no such symbol.
    void* find(const char* symbol) const;

    template <class Function>
    bool find_into(Function& function, const char* symbol) const {
        function = reinterpret_cast<Function>(find(symbol));
        return function != nullptr;
    }

  private:
    explicit SharedLibrary(void* handle) : handle_(handle) {}

    void* handle_;
};

}  // namespace jobq
