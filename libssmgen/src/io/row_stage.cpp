#include "io/row_stage.hpp"

#include <algorithm>

namespace ssmgen::io {
namespace {

constexpr auto value_bytes = static_cast<std::int64_t>(sizeof(float));

}  // namespace

RowStage::RowStage(std::string folder, std::int64_t memory_bytes)
    : folder_(std::move(folder)), memory_bytes_(memory_bytes) {}

void RowStage::resize(std::int64_t values) {
  if (values * value_bytes <= memory_bytes_) {
    file_.reset();
    memory_.resize(std::max(memory_.size(), static_cast<std::size_t>(values)));
    return;
  }
  memory_ = {};
  if (!file_) file_.emplace(folder_);
}

void RowStage::write(std::int64_t first, const float* values, std::int64_t count) {
  if (file_) {
    file_->write(first * value_bytes, values, count * value_bytes);
  } else {
    std::copy(values, values + count, memory_.begin() + first);
  }
}

void RowStage::read(std::int64_t first, float* values, std::int64_t count) const {
  if (file_) {
    file_->read(first * value_bytes, values, count * value_bytes);
  } else {
    std::copy_n(memory_.begin() + first, count, values);
  }
}

}  // namespace ssmgen::io
