#include "core/base/base64.h"

#include <sodium.h>

namespace jobq {

std::string base64_encode(std::string_view bytes) {
    std::string out(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                      bytes.size(), sodium_base64_VARIANT_ORIGINAL);
    out.pop_back();  // its NUL
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    std::string out(text.size(), '\0');
    size_t length = 0;
    const char* end = nullptr;
    int failed =
        sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                          text.size(), nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL);
    if (failed || end != text.data() + text.size()) return std::nullopt;
    out.resize(length);
    return out;
}

}  // namespace jobq
