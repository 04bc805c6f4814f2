#include "core/async/contain.h"

#include <cstdio>

namespace jobq {
namespace {

std::function<void(const Escape&)>& listener() {
    static std::function<void(const Escape&)> fn;
    return fn;
}

}  // namespace

void on_escape(std::function<void(const Escape&)> tell) {
    listener() = std::move(tell);
}

void tell_escape(std::string_view part, std::string context, std::exception_ptr thrown) noexcept {
    try {
        const Escape escape{part, std::move(context), words_of(thrown)};
        if (listener()) {
            listener()(escape);
        } else {
            std::fprintf(stderr, "jobq: contained: %.*s: %s: %s\n", int(part.size()), part.data(),
                         escape.context.c_str(), escape.what.c_str());
        }
    } catch (...) {  // without memory for the words: what matters is that it goes on
    }
}

std::string words_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an unknown exception";
    }
}

}  // namespace jobq
