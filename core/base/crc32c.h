// CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds every error of one to three bits in what jobq
// stores, and of any burst up to 32 bits. The processor's instruction where it has one, a table
// elsewhere. No Debian package has it; zlib's crc32 is another polynomial and half as fast.
// Called by core/job/codec for each envelope. Must stay true: both ways give the same number, as a
// store written on one machine is read on another.
#pragma once

#include <cstdint>
#include <string_view>

namespace jobq {

// Of `bytes` that follow what `before` is the checksum of; 0 for the first.
uint32_t crc32c(uint32_t before, std::string_view bytes);
// The same by table, whatever the processor can do.
uint32_t crc32c_by_table(uint32_t before, std::string_view bytes);

}  // namespace jobq
