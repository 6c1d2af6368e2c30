#pragma once
// A causal model over a sequence that comes in pieces, its state saved and taken up again.

#include <cstdint>
#include <memory>
#include <span>
#include <ssmgen/model.hpp>
#include <string>
#include <string_view>

namespace ssmgen {

/// Reads a sequence of any length piece by piece in memory that depends on the piece alone. What
/// comes out are the bits of Model::forward() over the whole sequence, however it is cut. Takes
/// causal language models: mamba, mamba_ssm, caduceus with one direction, and s4 with one
/// direction. One call at a time, of all that use the model.
class CausalRunner {
 public:
  /// Pieces end at multiples of so many bases, but for the last.
  static constexpr std::int64_t border_bases = 1024;

  /// At the start of a sequence. The model must outlive the runner.
  /// @throws InvalidArgument for a model that is not causal or has no tokens, DeviceError when
  ///   memory is short.
  explicit CausalRunner(const Model& model);
  /// Where `state`, which save() gave, was saved.
  /// @throws FormatError for a state of another model, dtype or version, or one that is damaged.
  CausalRunner(const Model& model, std::string_view state);
  ~CausalRunner();
  CausalRunner(CausalRunner&&) noexcept;
  CausalRunner& operator=(CausalRunner&&) noexcept;

  /// The next piece's outputs, as Model::forward() gives them, for (1, piece).
  /// @throws InvalidArgument for ids outside the vocabulary or after a piece that did not end at a
  ///   border, DeviceError when memory is short.
  ForwardResult feed(std::span<const std::int32_t> ids, const ForwardRequest& request = {});
  /// The same for bases, as Model::encode() reads them.
  ForwardResult feed(const std::string& bases, const ForwardRequest& request = {});

  /// How many bases were fed since the sequence's start.
  std::int64_t position() const noexcept;

  /// All that later pieces depend on, as bytes to be kept anywhere: a few hundred kilobytes,
  /// however long the sequence was. @throws InvalidArgument when the last piece did not end at a
  /// border.
  std::string save() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen
