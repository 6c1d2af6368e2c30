#include "stream/predictions.hpp"

#include <numeric>

#include "ops/ops.hpp"

namespace ssmgen::stream {

using core::TensorView;
using core::Workspace;

Predictions::Predictions(core::Context& ctx, const RunOutputs& outputs, std::int64_t batch,
                         std::int64_t length)
    : ctx_(ctx), outputs_(outputs), reads_(outputs.reads, batch, length) {}

void Predictions::give(const PartRange& part, const Logits& logits) {
  if (outputs_.predicts_all()) give_all(part, logits);
  give_reads(part, logits);
}

void Predictions::base_log_probabilities(const TensorView& logits) {
  const TensorView bases = ctx_.workspace().take(core::ElementType::f32, {logits.shape()[0], 4});
  ops::base_log_softmax(ctx_, logits, outputs_.base_ids, bases);
  values_.resize(static_cast<std::size_t>(bases.shape().count()));
  core::download(ctx_.backend(), ctx_.stream(), bases, values_);
}

void Predictions::give_reads(const PartRange& part, const Logits& logits) {
  while (reads_.next(part, rows_)) {
    const Workspace::Scope scope(ctx_.workspace());
    const TensorView found = logits(rows_);
    if (outputs_.logits != nullptr) {
      values_.resize(static_cast<std::size_t>(found.shape().count()));
      core::download(ctx_.backend(), ctx_.stream(), found, values_);
      reads_.put(values_, found.shape()[1], outputs_.logits);
    }
    if (outputs_.base_log_probabilities != nullptr) {
      base_log_probabilities(found);
      reads_.put(values_, 4, outputs_.base_log_probabilities);
    }
  }
}

void Predictions::give_all(const PartRange& part, const Logits& logits) {
  for_pieces(part.rows(), [&](std::int64_t begin, std::int64_t end) {
    const Workspace::Scope scope(ctx_.workspace());
    rows_.resize(static_cast<std::size_t>(end - begin));
    std::iota(rows_.begin(), rows_.end(), begin);
    const TensorView found = logits(rows_);
    if (outputs_.device_logits != nullptr) {
      ctx_.backend().copy(ctx_.stream(),
                          outputs_.device_logits + (part.first_row() + begin) * found.shape()[1],
                          found.data(), found.bytes());
    }
    if (!outputs_.on_base_log_probabilities) return;
    base_log_probabilities(found);
    outputs_.on_base_log_probabilities(part.first_row() + begin, values_);
  });
}

}  // namespace ssmgen::stream
