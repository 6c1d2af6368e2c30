#pragma once
// What a VcfWriter writes into: text, plain or in BGZF blocks, or BCF. Internal to this folder.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/hts_internal.hpp"
#include "io/output_file.hpp"
#include "io/vcf_header.hpp"
#include "io/vcf_writer.hpp"

namespace ssmgen::io {

/// One kind of output.
class VcfSink {
 public:
  virtual ~VcfSink() = default;
  virtual void write(VcfRecord& record, std::span<const InfoField> fields) = 0;
  /// Flushes and closes what this sink opened. @throws DeviceError
  virtual void finish() = 0;
};

/// Lines with INFO spliced in.
std::unique_ptr<VcfSink> make_text_sink(OutputFile& file, const VcfWriterOptions& options,
                                        const VcfHeaderText& header, const VcfReader& reader);

/// BCF records.
std::unique_ptr<VcfSink> make_bcf_sink(OutputFile& file, const VcfWriterOptions& options,
                                       const VcfHeaderText& header, const VcfReader& reader);

/// Checks the values of a field. @throws InvalidArgument for infinity and unfit characters
void check_info_field(const InfoField& field, const VcfRecord& record);

/// "file: record N (chr:pos)".
std::string record_place(std::string_view file, const VcfRecord& record);

}  // namespace ssmgen::io
