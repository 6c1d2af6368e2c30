#pragma once
// The rows of one activation of a whole sequence, used chunk by chunk: on the device where they
// fit, else in host memory or in a file, from where the next chunk comes and to where the last goes
// while the device computes.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/context.hpp"
#include "core/tensor.hpp"
#include "stream/chunk_mover.hpp"
#include "stream/chunk_plan.hpp"

namespace ssmgen::stream {

enum class StorePlace : std::uint8_t { device, host, scratch };
const char* place_name(StorePlace place) noexcept;

/// Where the rows are and how they are cut: chunk i holds the rows [edges[i], edges[i + 1]).
struct StoreLayout {
  StorePlace place = StorePlace::device;
  core::ElementType type = core::ElementType::f32;
  std::int64_t channels = 0;
  std::vector<std::int64_t> edges;
  std::string scratch;  ///< folder of StorePlace::scratch

  bool operator==(const StoreLayout&) const = default;
};

class ActivationStore {
 public:
  enum class Access : std::uint8_t { read, update, write };

  /// Chunks that may be out at once, and on their way, where the rows are not on the device.
  static constexpr std::int64_t slot_count = 4;

  /// @throws DeviceError when memory is short or no file can be made.
  ActivationStore(kernels::Backend& backend, const StoreLayout& layout);

  const StoreLayout& layout() const noexcept { return layout_; }
  /// Device memory that it holds.
  std::int64_t device_bytes() const noexcept;

  /// The chunks [chunks.begin, chunks.end) will be fetched, in `direction`.
  void begin_pass(Access access, kernels::Direction direction, const ChunkRange& chunks);
  /// The next chunk's rows (rows, channels), for ctx to use; with Access::write of any content.
  /// @throws DeviceError when a file failed.
  core::TensorView fetch(const core::Context& ctx);
  /// The chunk that has been out longest is done with, behind what ctx got; unless it was for
  /// reading, its rows are kept.
  void give_back(const core::Context& ctx);

 private:
  std::int64_t chunk_at(std::int64_t step) const;
  core::Shape shape_of(std::int64_t chunk) const;
  ChunkSlot& slot_of(std::int64_t step);
  void move(std::int64_t step, bool is_read);
  void read_ahead();

  kernels::Backend& backend_;
  StoreLayout layout_;
  core::Tensor rows_;  // on the device
  std::array<ChunkSlot, slot_count> slots_;
  std::unique_ptr<ChunkMover> mover_;  // absent on the device; after the slots that it uses
  Access access_ = Access::read;
  kernels::Direction direction_ = kernels::Direction::left_to_right;
  ChunkRange chunks_;
  std::int64_t asked_ = 0;    // steps of the pass whose rows are on their way or there
  std::int64_t fetched_ = 0;  // steps handed out
  std::int64_t done_ = 0;     // steps given back
};

}  // namespace ssmgen::stream
