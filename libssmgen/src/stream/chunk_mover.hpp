#pragma once
// Chunks of rows on their way between the device and where they are kept, beside the work on it.

#include <cstdint>
#include <memory>
#include <string>

#include "core/buffer.hpp"
#include "stream/mark.hpp"

namespace ssmgen::stream {

/// Room on the device for one chunk.
struct ChunkSlot {
  core::Buffer rows;
  core::Buffer staging;          ///< page-locked, where a file is not read into `rows` itself
  std::unique_ptr<Mark> used;    ///< behind the last work on the rows
  std::unique_ptr<Mark> filled;  ///< behind what brought the rows
  int moves = 0;                 ///< not finished yet; the mover's own
};

/// One caller; what a slot holds is its mover's between a call and await().
class ChunkMover {
 public:
  ChunkMover() = default;
  ChunkMover(const ChunkMover&) = delete;
  ChunkMover& operator=(const ChunkMover&) = delete;
  virtual ~ChunkMover() = default;

  /// What follows may read whatever was written before.
  virtual void begin_pass() = 0;
  /// Fills the slot, once its last user is done. `offset` is in bytes of all that is kept.
  virtual void read(ChunkSlot& slot, std::int64_t offset, std::int64_t bytes) = 0;
  /// Keeps the slot's rows, once slot.used is reached.
  virtual void write(ChunkSlot& slot, std::int64_t offset, std::int64_t bytes) = 0;
  /// What `stream` gets from now on may use the slot. @throws DeviceError of any move before.
  virtual void await(ChunkSlot& slot, kernels::Stream stream) = 0;
};

/// Keeps the rows in page-locked host memory and copies both ways at once.
std::unique_ptr<ChunkMover> make_host_mover(kernels::Backend& backend, std::int64_t bytes);

/// Keeps the rows in a file without a name, which a thread reads and writes in the order asked for.
/// @throws DeviceError when no file can be made in `folder`.
std::unique_ptr<ChunkMover> make_scratch_mover(kernels::Backend& backend,
                                               const std::string& folder);

}  // namespace ssmgen::stream
