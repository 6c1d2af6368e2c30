#include "io/tsv_writer.hpp"

#include <fmt/format.h>
#include <iterator>

namespace ssmgen::io {
namespace {

constexpr std::size_t bytes_at_once = std::size_t{1} << 16;

}  // namespace

TsvWriter::TsvWriter(const std::string& path, const std::string& input_path,
                     const ArrayShape& shape, std::string_view columns,
                     std::vector<std::string> layer_names)
    : shape_(shape), file_(path, input_path), layer_names_(std::move(layer_names)) {
  text_ = columns;
  if (shape_.has_layer_dimension) text_ += "\tlayer";
  for (std::int64_t i = 0; i < shape_.channels; ++i) text_ += fmt::format("\tc{}", i);
  text_ += '\n';
}

void TsvWriter::write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
                      const float* values) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float* row = values + i * shape_.channels;
    waiting_.emplace(std::pair(first_row + i, layer),
                     std::vector<float>(row, row + shape_.channels));
  }
  while (!waiting_.empty() && waiting_.begin()->first == std::pair(next_row_, next_layer_)) {
    append_row(next_layer_, waiting_.begin()->second.data());
    waiting_.erase(waiting_.begin());
    if (++next_layer_ == shape_.layers) {
      next_layer_ = 0;
      ++next_row_;
      described_.pop_front();
    }
  }
}

// The shortest text that reads back as the same float.
void TsvWriter::append_row(std::int64_t layer, const float* values) {
  text_ += described_.front();
  if (shape_.has_layer_dimension) {
    text_ += '\t' + layer_names_[static_cast<std::size_t>(layer)];
  }
  for (std::int64_t i = 0; i < shape_.channels; ++i) {
    fmt::format_to(std::back_inserter(text_), "\t{}", values[i]);
  }
  text_ += '\n';
  if (text_.size() >= bytes_at_once) flush();
}

void TsvWriter::flush() {
  file_.write(text_);
  text_.clear();
}

void TsvWriter::finish(std::int64_t /*rows*/) {
  flush();
  file_.sync();
}

}  // namespace ssmgen::io
