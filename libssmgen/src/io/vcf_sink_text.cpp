#include <cerrno>
#include <cmath>
#include <fmt/format.h>
#include <new>
#include <ssmgen/errors.hpp>

#include "io/vcf_reader_impl.hpp"
#include "io/vcf_sink.hpp"
#include "io/vcf_text.hpp"

namespace ssmgen::io {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 16;

// "KEY=1,.,2" for each field that has values, joined by ';'.
void append_fields(std::span<const InfoField> fields, KString& out) {
  for (const InfoField& field : fields) {
    const bool is_first = out.l == 0;
    const auto begin = [&](std::size_t index) {
      if (index > 0) {
        out.append(",");
        return;
      }
      if (!is_first) out.append(";");
      out.append(field.id);
      out.append("=");
    };
    if (const auto* floats = std::get_if<std::vector<float>>(&field.values)) {
      for (std::size_t i = 0; i < floats->size(); ++i) {
        begin(i);
        const float value = (*floats)[i];
        if (std::isnan(value)) {
          out.append(".");
        } else if (kputd(static_cast<double>(value), &out) < 0) {
          throw std::bad_alloc();
        }
      }
    } else {
      const auto& texts = std::get<std::vector<std::string>>(field.values);
      for (std::size_t i = 0; i < texts.size(); ++i) {
        begin(i);
        out.append(texts[i].empty() ? "." : std::string_view(texts[i]));
      }
    }
  }
}

class TextSink : public VcfSink {
 public:
  TextSink(OutputFile& file, const VcfWriterOptions& options, const VcfHeaderText& header,
           const VcfReader& reader)
      : file_(file), reader_(reader) {
    if (options.format.type == VcfOutputType::vcf_bgzip) {
      const std::string mode =
          options.format.level < 0 ? "w" : fmt::format("w{}", options.format.level);
      HFilePtr raw(hdopen(file_.hand_out(), "w"));
      if (raw != nullptr) bgzf_.reset(bgzf_hopen(raw.get(), mode.c_str()));
      if (bgzf_ == nullptr) throw std::bad_alloc();
      static_cast<void>(raw.release());
      use_threads(bgzf_.get(), options.threads);
    }
    for (const std::string& line : header.lines) buffer_ += line + '\n';
    buffer_ += header.column_line + '\n';
    // At once, so that a pipe's reader or a full disk need not wait for the first records.
    flush();
  }

  ~TextSink() override {
    if (bgzf_ != nullptr) file_.abandon();
  }

  void write(VcfRecord& record, std::span<const InfoField> fields) override {
    added_.l = 0;
    append_fields(fields, added_);
    ids_.clear();
    for (const InfoField& field : fields) ids_.push_back(field.id);
    VcfRecord::Payload& payload = record.payload();
    append_with_info(payload, payload.is_bcf ? bcf_line(record) : std::string_view(payload.line),
                     ids_, added_.view(), buffer_);
    if (buffer_.size() >= kFlushBytes) flush();
  }

  void finish() override {
    flush();
    if (bgzf_ == nullptr) return;
    errno = 0;
    if (bgzf_close(bgzf_.release()) != 0) file_.throw_write_error(0);
  }

 private:
  void flush() {
    if (bgzf_ == nullptr) {
      file_.write(buffer_);
    } else if (bgzf_write(bgzf_.get(), buffer_.data(), buffer_.size()) !=
               static_cast<ssize_t>(buffer_.size())) {
      file_.throw_write_error(0);
    }
    buffer_.clear();
  }

  // The line of a BCF record; sets where its INFO is.
  std::string_view bcf_line(VcfRecord& record) {
    VcfRecord::Payload& payload = record.payload();
    bcf_line_.l = 0;
    if (vcf_format(reader_.impl().bcf->header(), payload.bcf.get(), &bcf_line_) != 0) {
      throw FormatError(fmt::format("{}: the BCF record cannot be written as text",
                                    record_place(reader_.path(), record)));
    }
    std::string_view line = bcf_line_.view();
    if (line.ends_with('\n')) line.remove_suffix(1);
    const VcfColumns columns = split_columns(line);
    const std::string_view info = columns.column[kFixedColumnCount - 1];
    payload.info_begin = static_cast<std::size_t>(info.data() - line.data());
    payload.info_end = payload.info_begin + info.size();
    return line;
  }

  OutputFile& file_;
  const VcfReader& reader_;
  BgzfPtr bgzf_;
  std::string buffer_;
  KString added_;
  KString bcf_line_;
  std::vector<std::string_view> ids_;
};

}  // namespace

std::unique_ptr<VcfSink> make_text_sink(OutputFile& file, const VcfWriterOptions& options,
                                        const VcfHeaderText& header, const VcfReader& reader) {
  return std::make_unique<TextSink>(file, options, header, reader);
}

}  // namespace ssmgen::io
