#pragma once

#include <fmt/format.h>
#include <ssmgen/errors.hpp>

#include "models/checkpoint.hpp"
#include "models/weight_source.hpp"

namespace ssmgen::models {

/// The tensors of a checkpoint directory.
class CheckpointSource final : public WeightSource {
 public:
  explicit CheckpointSource(Checkpoint& checkpoint) : checkpoint_(&checkpoint) {}

  bool has(const std::string& name) const override { return checkpoint_->has(name); }
  std::vector<float> f32(const std::string& name, const std::vector<std::int64_t>& shape) override {
    return checkpoint_->f32(name, shape);
  }
  std::int64_t length(const std::string& name) override {
    const auto found = checkpoint_->i64_optional(name, {});
    if (found && found->front() < 0) {
      throw FormatError(fmt::format("{}: tensor {} must not be negative, and is {}",
                                    checkpoint_->directory().string(), name, found->front()));
    }
    return found ? found->front() : 0;
  }
  void tie(const std::string& name, const std::string& used_instead) override {
    checkpoint_->alias(name, used_instead);
  }
  void ignore(const std::string& name) override { checkpoint_->mark_used(name); }

 private:
  Checkpoint* checkpoint_;
};

}  // namespace ssmgen::models
