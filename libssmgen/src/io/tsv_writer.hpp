#pragma once
// Rows as lines of text, each behind what is said of it.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/array_writer.hpp"
#include "io/output_file.hpp"

namespace ssmgen::io {

/// Lines come out in the order of the rows; with a layer dimension a row has one for each layer.
class TsvWriter : public ArrayWriter {
 public:
  /// @param columns the names of the columns before the values
  /// @param layer_names what stands in the column "layer", when there is that dimension
  /// @throws as OutputFile
  TsvWriter(const std::string& path, const std::string& input_path, const ArrayShape& shape,
            std::string_view columns, std::vector<std::string> layer_names);

  /// What stands before the values of the next row. Comes before the row itself.
  void describe(std::string columns) { described_.push_back(std::move(columns)); }

  void write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
             const float* values) override;
  void finish(std::int64_t rows) override;
  void commit() override { file_.commit(); }

 private:
  void append_row(std::int64_t layer, const float* values);
  void flush();

  ArrayShape shape_;
  OutputFile file_;
  std::vector<std::string> layer_names_;
  std::deque<std::string> described_;  // from next_row_ on
  // (row, layer) -> values that came before their turn
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<float>> waiting_;
  std::int64_t next_row_ = 0;
  std::int64_t next_layer_ = 0;
  std::string text_;
};

}  // namespace ssmgen::io
