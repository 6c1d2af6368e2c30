#pragma once
// Sequences through a stack of S4 blocks. A bidirectional stack goes layer by layer, each layer
// chunk by chunk there and back; a causal one goes chunk by chunk, each chunk through all layers,
// and stores nothing but the layers' states.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "stream/runner.hpp"
#include "stream/s4_read_out.hpp"

namespace ssmgen::stream {

class S4Runner final : public Runner {
 public:
  S4Runner(const models::S4Stack& stack, core::Context& ctx, const RunnerOptions& options);

  /// @throws InvalidArgument for a block alone, which has no tokens.
  void run(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
           const RunOutputs& outputs) override;

  RunPlan plan(std::int64_t length, std::int64_t predicted_rows) const override;

  /// A piece of a sequence through all layers of a causal stack, whose states (one a layer) it
  /// takes, unless the piece is the first, and leaves. The outputs are those of the piece.
  void feed(std::span<const std::int32_t> ids, std::span<const core::TensorView> states,
            bool is_first, const RunOutputs& outputs);

  /// A block alone over given channels: `in` and `out` (batch, length, d_model).
  void run_block(std::span<const float> in, std::int64_t batch, std::int64_t length,
                 std::span<float> out);

 private:
  /// A layer's state: absent `in` at the sequence's start, absent `out` at its end.
  struct Carry {
    core::TensorView in;
    core::TensorView out;
  };
  /// Puts the first block's input into a part's hidden rows.
  using Fill = std::function<void(const S4Part&)>;

  std::int64_t chunk_bases_for(std::int64_t length) const;
  void run_parts(std::int64_t batch, std::int64_t length, const Fill& fill, S4ReadOut& read_out);
  void run_whole(const S4Part& shape, const Fill& fill, S4ReadOut& read_out);
  void run_causal_chunks(const S4Part& shape, const Fill& fill, S4ReadOut& read_out);
  void run_causal_piece(S4Part part, std::span<const core::TensorView> states, bool is_first,
                        const Fill& fill, S4ReadOut& read_out);
  Fill embedding_of(std::span<const std::int32_t> ids);
  void check_ids(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length) const;
  void take_rows(S4Part& part);
  void run_layer(std::size_t layer, const S4Part& part, const ChunkPlan& plan, const Carry& carry);
  void finish(const layers::S4Block& block, const core::TensorView& mixed,
              const core::TensorView& hidden);
  bool norms_first() const noexcept;

  const models::S4Stack& stack_;
  core::Context& ctx_;
  RunnerOptions options_;
};

}  // namespace ssmgen::stream
