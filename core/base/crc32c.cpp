#include "core/base/crc32c.h"

#include <array>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace jobq {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

constexpr std::array<uint32_t, 256> make_table() {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ (value & 1 ? kPolynomial : 0);
        table[i] = value;
    }
    return table;
}

constexpr auto kCrcTable = make_table();

#ifdef __x86_64__
template <class Word>
Word load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof(word));
    return word;
}

[[gnu::target("sse4.2")]] uint32_t by_instruction(uint32_t before, std::string_view bytes) {
    uint64_t crc = ~before;
    const char* at = bytes.data();
    const char* const words_end = at + (bytes.size() & ~size_t(7));
    for (; at != words_end; at += 8)
        crc = _mm_crc32_u64(crc, load<uint64_t>(at));
    auto rest = uint32_t(crc);
    if (bytes.size() & 4) {
        rest = _mm_crc32_u32(rest, load<uint32_t>(at));
        at += 4;
    }
    if (bytes.size() & 2) {
        rest = _mm_crc32_u16(rest, load<uint16_t>(at));
        at += 2;
    }
    if (bytes.size() & 1) rest = _mm_crc32_u8(rest, load<uint8_t>(at));
    return ~rest;
}
#endif

}  // namespace

uint32_t crc32c_by_table(uint32_t before, std::string_view bytes) {
    uint32_t crc = ~before;
    for (char byte : bytes)
        crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
    return ~crc;
}

uint32_t crc32c(uint32_t before, std::string_view bytes) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return by_instruction(before, bytes);
#endif
    return crc32c_by_table(before, bytes);
}

}  // namespace jobq
