#pragma once
// How a sequence goes through a Mamba stack: pure arithmetic on its sizes and the memory there is.

#include <cstdint>
#include <optional>
#include <string>

#include "models/mamba_stack.hpp"
#include "stream/activation_store.hpp"

namespace ssmgen::stream {

enum class RunMode : std::uint8_t {
  whole,   ///< in one piece
  kept,    ///< chunk by chunk; both sweeps at once, their inputs and outputs kept for the length
  folded,  ///< chunk by chunk; one residual stream a strand and the states at the chunks' borders
  chunks,  ///< a causal stack, chunk by chunk through all of its layers; nothing is kept
};
const char* run_mode_name(RunMode mode) noexcept;

/// What decides about memory: the stack and what is asked of it.
struct RunShape {
  layers::MambaSizes sizes;
  core::ElementType activation = core::ElementType::f32;
  core::ElementType residual = core::ElementType::f32;
  std::int64_t vocabulary = 0;
  std::int64_t n_layer = 0;
  int strands = 1;
  bool is_causal = false;
  bool is_bidirectional = true;
  bool shares_in_proj = true;
  bool sums_sweeps = true;
  std::int64_t length = 0;          ///< bases of a sequence
  std::int64_t predicted_rows = 0;  ///< positions whose predictions are read
};
RunShape run_shape(const models::MambaStack& stack, std::int64_t length,
                   std::int64_t predicted_rows);

/// What may be used, and the option that raises it, for errors.
struct MemoryBudget {
  bool device_is_host = true;       ///< then device_bytes alone counts
  std::int64_t device_bytes = 0;    ///< that the run may take of the device
  std::int64_t host_bytes = 0;      ///< that it may take of the host beside a device
  std::int64_t scratch_bytes = -1;  ///< that the scratch folder takes; below 0 without a folder
  std::string device_reason;        ///< "2.0 GB by --max-memory"
  std::string host_reason;
};

/// What a back end works best with, and what the caller has fixed.
struct RunPreference {
  std::int64_t chunk_bases = 0;        ///< fixed when above 0
  std::int64_t most_whole_bases = 0;   ///< longer sequences are cut
  std::int64_t usual_chunk_bases = 0;  ///< when none is fixed
  std::int64_t piece_bases = 0;        ///< the longest piece of a sequence swept both ways at once
  bool has_streams = false;            ///< work on two streams at once
  std::optional<RunMode> mode;         ///< fixed, for tests
  std::optional<StorePlace> place;     ///< of all stores; fixed, for tests
};

struct RunPlan {
  RunMode mode = RunMode::whole;
  StorePlace stream = StorePlace::device;     ///< of the residual stream, when folded
  StorePlace predicted = StorePlace::device;  ///< of one strand's rows kept for the other's
  std::int64_t chunk_bases = 0;               ///< the length when it is not cut
  std::int64_t workspace_bytes = 0;           ///< of the caller's context
  std::int64_t side_bytes = 0;                ///< of the second context
  std::int64_t device_bytes = 0;              ///< all of the device, weights left out
  std::int64_t host_bytes = 0;                ///< of a device's host
  std::int64_t scratch_bytes = 0;
  std::int64_t most_together = 1;  ///< sequences that fit side by side, when whole
};

/// The fastest way that fits: whole, kept, then folded with its stream on the device, on the host,
/// in a file.
/// @throws DeviceError saying what is needed at the least, what there is and which option helps.
RunPlan plan_run(const RunShape& shape, const MemoryBudget& budget,
                 const RunPreference& preference);

}  // namespace ssmgen::stream
