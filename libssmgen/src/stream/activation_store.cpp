#include "stream/activation_store.hpp"

#include <algorithm>
#include <ssmgen/errors.hpp>

namespace ssmgen::stream {

using core::Shape;
using core::TensorView;

const char* place_name(StorePlace place) noexcept {
  switch (place) {
    case StorePlace::device:
      return "device";
    case StorePlace::host:
      return "host";
    case StorePlace::scratch:
      return "scratch";
  }
  return "";
}

ActivationStore::ActivationStore(kernels::Backend& backend, const StoreLayout& layout)
    : backend_(backend), layout_(layout) {
  const std::vector<std::int64_t>& edges = layout.edges;
  const std::int64_t row_bytes = layout.channels * core::element_bytes(layout.type);
  const bool is_device_host = backend.device_memory().total_bytes == 0;
  if (layout.place == StorePlace::device || (layout.place == StorePlace::host && is_device_host)) {
    rows_ = core::Tensor(backend, layout.type, {edges.back(), layout.channels});
    return;
  }
  std::int64_t most = 0;
  for (std::size_t i = 1; i < edges.size(); ++i) most = std::max(most, edges[i] - edges[i - 1]);
  const bool is_staged = layout.place == StorePlace::scratch && !is_device_host;
  for (ChunkSlot& slot : slots_) {
    slot.rows = core::Buffer(backend, most * row_bytes);
    if (is_staged) slot.staging = {backend, most * row_bytes, core::MemoryKind::pinned};
  }
  mover_ = layout.place == StorePlace::host ? make_host_mover(backend, edges.back() * row_bytes)
                                            : make_scratch_mover(backend, layout.scratch);
}

std::int64_t ActivationStore::device_bytes() const noexcept {
  std::int64_t bytes = rows_ ? rows_.view().bytes() : 0;
  for (const ChunkSlot& slot : slots_) bytes += slot.rows.bytes();
  return bytes;
}

void ActivationStore::begin_pass(Access access, kernels::Direction direction,
                                 const ChunkRange& chunks) {
  access_ = access;
  direction_ = direction;
  chunks_ = chunks;
  asked_ = fetched_ = done_ = 0;
  if (!mover_) return;
  mover_->begin_pass();
  read_ahead();
}

TensorView ActivationStore::fetch(const core::Context& ctx) {
  if (fetched_ == chunks_.length() || fetched_ == done_ + slot_count) {
    throw InvalidArgument("more chunks of a store were fetched than there are to be had");
  }
  const std::int64_t chunk = chunk_at(fetched_);
  if (!mover_) {
    ++fetched_;
    const auto edge = layout_.edges.begin() + chunk;
    return rows_.view().slice(edge[0], edge[1]);
  }
  ChunkSlot& slot = slot_of(fetched_++);
  mover_->await(slot, ctx.stream());
  return {slot.rows.data(), layout_.type, shape_of(chunk)};
}

void ActivationStore::give_back(const core::Context& ctx) {
  const std::int64_t step = done_++;
  if (!mover_) return;
  ChunkSlot& slot = slot_of(step);
  slot.used = std::make_unique<Mark>(backend_, ctx.stream());
  slot.filled.reset();
  if (access_ != Access::read) move(step, false);
  read_ahead();
}

std::int64_t ActivationStore::chunk_at(std::int64_t step) const {
  return direction_ == kernels::Direction::left_to_right ? chunks_.begin + step
                                                         : chunks_.end - 1 - step;
}

Shape ActivationStore::shape_of(std::int64_t chunk) const {
  const auto edge = layout_.edges.begin() + chunk;
  return {edge[1] - edge[0], layout_.channels};
}

ChunkSlot& ActivationStore::slot_of(std::int64_t step) {
  return slots_[static_cast<std::size_t>(step % slot_count)];
}

void ActivationStore::move(std::int64_t step, bool is_read) {
  const std::int64_t chunk = chunk_at(step);
  const std::int64_t element = core::element_bytes(layout_.type);
  const std::int64_t offset =
      layout_.edges[static_cast<std::size_t>(chunk)] * layout_.channels * element;
  const std::int64_t bytes = shape_of(chunk).count() * element;
  is_read ? mover_->read(slot_of(step), offset, bytes)
          : mover_->write(slot_of(step), offset, bytes);
}

void ActivationStore::read_ahead() {
  for (; asked_ < std::min(chunks_.length(), done_ + slot_count); ++asked_) {
    if (access_ != Access::write) move(asked_, true);
  }
}

}  // namespace ssmgen::stream
