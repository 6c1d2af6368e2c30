#pragma once
// Windows of many records put together by their length, so that they go through the model in
// batches whatever the order in which they come.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "genome/tiling.hpp"

namespace ssmgen::tasks {

/// A window on its way through the model.
struct SequenceWindow {
  std::int64_t number = 0;  ///< for whoever hands windows in
  std::int64_t record_length = 0;
  std::int64_t first_row = 0;  ///< of the record, in the array
  genome::Tile tile;           ///< in the record
  std::string letters;         ///< from tile.begin to tile.end

  char letter(std::int64_t position) const {
    return letters[static_cast<std::size_t>(position - tile.begin)];
  }
};

/// Windows of one length are handed on in the order in which they came.
class WindowBuckets {
 public:
  using BatchOf = std::function<std::int64_t(std::int64_t length)>;
  using Run = std::function<void(std::vector<SequenceWindow>& windows)>;

  WindowBuckets(BatchOf batch_of, Run run);

  void add(SequenceWindow window);
  /// Runs what is left.
  void finish();

 private:
  void run(std::int64_t length);

  BatchOf batch_of_;
  Run run_;
  std::map<std::int64_t, std::vector<SequenceWindow>> by_length_;
  std::int64_t waiting_bases_ = 0;
};

}  // namespace ssmgen::tasks
