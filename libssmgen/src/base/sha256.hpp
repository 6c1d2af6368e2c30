#pragma once
// SHA-256 (FIPS 180-4), which names the weights in every output header. It uses the SHA
// instructions where the CPU has them: weights of gigabytes are hashed at about 2 GB/s.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ssmgen::base {

/// Streaming SHA-256: update() as often as needed, then digest() once.
class Sha256 {
 public:
  enum class Implementation : std::uint8_t { fastest, portable };

  explicit Sha256(Implementation implementation = Implementation::fastest) noexcept;

  void update(std::span<const std::byte> bytes) noexcept;

  /// The 32 bytes; the object is spent afterwards.
  std::array<std::uint8_t, 32> digest() noexcept;

  /// The digest as 64 lower-case hexadecimal digits; the object is spent afterwards.
  std::string hex_digest();

  using Compress = void (*)(std::uint32_t* state, const std::byte* blocks, std::size_t count);

 private:
  Compress compress_;
  std::array<std::uint32_t, 8> state_;
  std::array<std::byte, 64> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t total_bytes_ = 0;
};

/// SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace ssmgen::base
