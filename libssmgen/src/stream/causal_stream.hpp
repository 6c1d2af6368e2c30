#pragma once
// A causal network over a sequence that comes in pieces, whatever kind of stack it is.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "core/tensor.hpp"
#include "models/network.hpp"
#include "stream/run_outputs.hpp"

namespace ssmgen::stream {

/// What is said of networks that have no such stream.
inline constexpr const char* not_causal =
    "only a causal language model (mamba, mamba_ssm, caduceus of one direction, s4 of one "
    "direction) reads a sequence piece by piece";

class CausalStream {
 public:
  CausalStream() = default;
  CausalStream(const CausalStream&) = delete;
  CausalStream& operator=(const CausalStream&) = delete;
  virtual ~CausalStream() = default;

  /// The next piece. Rows and positions of the outputs are those of the piece. Where it begins is a
  /// multiple of the kernels' tile length.
  virtual void feed(std::span<const std::int32_t> ids, const RunOutputs& outputs) = 0;
  /// All that later pieces depend on, f32; of any content until the first piece. May be written to
  /// before begin_at().
  virtual std::vector<core::TensorView> states() const = 0;
  /// The next piece begins there; states are used unless it is 0.
  virtual void begin_at(std::int64_t position) = 0;
};

/// The network and the context must outlive it. @throws InvalidArgument for a network that is not
/// causal or has no tokens.
std::unique_ptr<CausalStream> make_causal_stream(const models::Network& network,
                                                 core::Context& ctx);

}  // namespace ssmgen::stream
