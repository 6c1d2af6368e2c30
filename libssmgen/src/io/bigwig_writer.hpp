#pragma once
// One value a base of a genome as bigWig.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "genome/contig_names.hpp"

namespace ssmgen::io {

class BigWigWriter {
 public:
  /// Opens `<path>.part`. `contigs` are in the order of their names, as the format wants them.
  /// @throws InvalidArgument when the path is not that of a regular file or a contig is longer than
  ///   the format knows, DeviceError when it cannot be made
  BigWigWriter(const std::string& path, const std::string& input_path,
               const std::vector<genome::Contig>& contigs);
  ~BigWigWriter();

  /// Values of the bases from `begin` on; NaN where there is none. Contigs and positions ascend.
  /// @throws DeviceError when the disk is full or fails
  void add(std::size_t contig, std::int64_t begin, std::span<const float> values);

  /// Values that were written.
  std::int64_t count() const noexcept;

  /// Makes zoom levels and index and brings everything to the disk.
  /// @throws FormatError when no base has a value, DeviceError
  void finish();
  /// Gives it its name, after finish(). @throws DeviceError
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
