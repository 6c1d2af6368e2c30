// FIPS 180-4, section 6.2, in two forms: portable, and with the SHA instructions of x86-64. The
// second is compiled for its instruction set alone and chosen when the program runs.

#include "base/sha256.hpp"

#include <algorithm>
#include <bit>
#include <string_view>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace ssmgen::base {

namespace {

alignas(64) constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t load_big_endian(const std::byte* bytes) noexcept {
  std::uint32_t word = 0;
  for (int i = 0; i < 4; ++i) word = word << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return word;
}

void compress_portable(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
  for (; count > 0; --count, blocks += 64) {
    std::array<std::uint32_t, 64> schedule;
    for (std::size_t i = 0; i < 16; ++i) schedule[i] = load_big_endian(blocks + 4 * i);
    for (std::size_t i = 16; i < 64; ++i) {
      const std::uint32_t far = schedule[i - 15];
      const std::uint32_t near = schedule[i - 2];
      schedule[i] = schedule[i - 16] + schedule[i - 7] +
                    (std::rotr(far, 7) ^ std::rotr(far, 18) ^ far >> 3) +
                    (std::rotr(near, 17) ^ std::rotr(near, 19) ^ near >> 10);
    }
    std::array<std::uint32_t, 8> v;
    std::copy_n(state, 8, v.begin());
    for (std::size_t round = 0; round < 64; round += 8) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < 8; ++i) {
        // The variables change places by one in each round: their names turn, not their values.
        std::uint32_t& a = v[(8 - i) % 8];
        const std::uint32_t b = v[(9 - i) % 8];
        const std::uint32_t c = v[(10 - i) % 8];
        std::uint32_t& d = v[(11 - i) % 8];
        const std::uint32_t e = v[(12 - i) % 8];
        const std::uint32_t f = v[(13 - i) % 8];
        const std::uint32_t g = v[(14 - i) % 8];
        std::uint32_t& h = v[(15 - i) % 8];
        h += (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
             round_constants[round + i] + schedule[round + i];
        d += h;
        h +=
            (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      }
    }
    for (std::size_t i = 0; i < 8; ++i) state[i] += v[i];
  }
}

#if defined(__x86_64__)

// Each sha256rnds2 does two rounds on the state held as (a,b,e,f) and (c,d,g,h); msg1, alignr and
// msg2 make the next four words of the message schedule out of the last sixteen.
__attribute__((target("sha,sse4.1,ssse3"))) void compress_sha_extensions(std::uint32_t* state,
                                                                         const std::byte* blocks,
                                                                         std::size_t count) {
  const __m128i byte_order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const auto* packed = reinterpret_cast<const __m128i*>(state);
  const __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(packed), 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(packed + 1), 0x1b);
  __m128i abef = _mm_alignr_epi8(abcd, efgh, 8);
  __m128i cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);
  for (; count > 0; --count, blocks += 64) {
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    const auto* block = reinterpret_cast<const __m128i*>(blocks);
    __m128i words[4];
    for (int i = 0; i < 4; ++i) {
      words[i] = _mm_shuffle_epi8(_mm_loadu_si128(block + i), byte_order);
    }
#pragma GCC unroll 16
    for (int group = 0; group < 16; ++group) {
      const __m128i now = words[group % 4];
      const auto* constants = reinterpret_cast<const __m128i*>(round_constants.data()) + group;
      __m128i rounds = _mm_add_epi32(now, _mm_load_si128(constants));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, rounds);
      rounds = _mm_shuffle_epi32(rounds, 0x0e);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, rounds);
      if (group < 12) {
        const __m128i last = words[(group + 3) % 4];
        const __m128i middle = _mm_alignr_epi8(last, words[(group + 2) % 4], 4);
        const __m128i partial = _mm_sha256msg1_epu32(now, words[(group + 1) % 4]);
        words[group % 4] = _mm_sha256msg2_epu32(_mm_add_epi32(partial, middle), last);
      }
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  auto* out = reinterpret_cast<__m128i*>(state);
  _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}

// g++ 12 and clang 14 do not know "sha" in __builtin_cpu_supports, so CPUID is asked for that bit.
bool has_sha_extensions() noexcept {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3") &&
         __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx >> 29 & 1u) != 0;
}

#endif

Sha256::Compress fastest_compress() noexcept {
#if defined(__x86_64__)
  static const bool available = has_sha_extensions();
  if (available) return compress_sha_extensions;
#endif
  return compress_portable;
}

}  // namespace

Sha256::Sha256(Implementation implementation) noexcept
    : compress_(implementation == Implementation::fastest ? fastest_compress() : compress_portable),
      state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

void Sha256::update(std::span<const std::byte> bytes) noexcept {
  total_bytes_ += bytes.size();
  if (pending_size_ > 0) {
    const std::size_t taken = std::min(bytes.size(), pending_.size() - pending_size_);
    std::copy_n(bytes.begin(), taken,
                pending_.begin() + static_cast<std::ptrdiff_t>(pending_size_));
    pending_size_ += taken;
    bytes = bytes.subspan(taken);
    if (pending_size_ < pending_.size()) return;
    compress_(state_.data(), pending_.data(), 1);
    pending_size_ = 0;
  }
  const std::size_t blocks = bytes.size() / 64;
  compress_(state_.data(), bytes.data(), blocks);
  bytes = bytes.subspan(64 * blocks);
  std::copy(bytes.begin(), bytes.end(), pending_.begin());
  pending_size_ = bytes.size();
}

std::array<std::uint8_t, 32> Sha256::digest() noexcept {
  const std::uint64_t total_bits = total_bytes_ * 8;
  std::array<std::byte, 72> padding{};
  padding[0] = std::byte{0x80};
  // Up to the next multiple of 64, less the 8 bytes of the length.
  const std::size_t zeros_end = (pending_size_ < 56 ? 56 : 120) - pending_size_;
  for (std::size_t i = 0; i < 8; ++i) {
    padding[zeros_end + i] = static_cast<std::byte>(total_bits >> (56 - 8 * i));
  }
  update(std::span(padding).first(zeros_end + 8));
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < 32; ++i) {
    bytes[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return bytes;
}

std::string Sha256::hex_digest() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest()) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex_digest();
}

}  // namespace ssmgen::base
