#include <cerrno>
#include <cmath>
#include <fmt/format.h>
#include <new>
#include <ssmgen/errors.hpp>

#include "io/vcf_reader_impl.hpp"
#include "io/vcf_sink.hpp"

namespace ssmgen::io {
namespace {

class BcfSink : public VcfSink {
 public:
  BcfSink(OutputFile& file, const VcfWriterOptions& options, const VcfHeaderText& header,
          const VcfReader& reader)
      : file_(file), reader_(reader), scratch_(bcf_init()) {
    if (scratch_ == nullptr) throw std::bad_alloc();
    header_ = reader.is_bcf() ? extended_header(header) : parse_header(header);
    if (header_ == nullptr) {
      throw FormatError(fmt::format(
          "{}: htslib cannot make a BCF header of its header lines (a sample named twice?); "
          "write VCF: -O z",
          reader.path()));
    }
    std::string mode = options.format.type == VcfOutputType::bcf ? "wb" : "wbu";
    if (options.format.type == VcfOutputType::bcf && options.format.level >= 0) {
      mode += static_cast<char>('0' + options.format.level);
    }
    HFilePtr raw(hdopen(file_.hand_out(), "w"));
    if (raw != nullptr) hts_.reset(hts_hopen(raw.get(), file.name().c_str(), mode.c_str()));
    if (hts_ == nullptr) throw std::bad_alloc();
    static_cast<void>(raw.release());
    if (options.format.type == VcfOutputType::bcf) use_threads(hts_->fp.bgzf, options.threads);
    if (bcf_hdr_write(hts_.get(), header_.get()) != 0) file_.throw_write_error(0);
  }

  ~BcfSink() override {
    if (hts_ != nullptr) file_.abandon();
  }

  void write(VcfRecord& record, std::span<const InfoField> fields) override {
    VcfRecord::Payload& payload = record.payload();
    bcf1_t* out = payload.bcf.get();
    if (!payload.is_bcf) {
      parse(record);
      out = scratch_.get();
    }
    for (const InfoField& field : fields) update(record, field, out);
    if (bcf_write(hts_.get(), header_.get(), out) != 0) {
      if (out->errcode != 0) {
        throw FormatError(
            fmt::format("{}: htslib cannot write the record as BCF (error {}); "
                        "write VCF: -O z",
                        record_place(reader_.path(), record), out->errcode));
      }
      file_.throw_write_error(0);
    }
  }

  void finish() override {
    if (hts_close(hts_.release()) != 0) file_.throw_write_error(0);
  }

 private:
  // BCF records name their tags by number, so the input's header must keep its numbers: lines are
  // taken away and added, never written anew.
  HeaderPtr extended_header(const VcfHeaderText& wanted) const {
    const VcfReader::Impl& input = reader_.impl();
    HeaderPtr header(bcf_hdr_dup(input.bcf->header()));
    if (header == nullptr) throw std::bad_alloc();
    std::unordered_multiset<std::string_view> old_lines(input.header_text.lines.begin(),
                                                        input.header_text.lines.end());
    std::vector<const std::string*> added;
    for (const std::string& line : wanted.lines) {
      const auto old = old_lines.find(line);
      if (old == old_lines.end()) {
        added.push_back(&line);
      } else {
        old_lines.erase(old);
      }
    }
    for (std::string_view line : old_lines) {
      const std::string id(line_id(line, "INFO"));
      if (!id.empty()) bcf_hdr_remove(header.get(), BCF_HL_INFO, id.c_str());
    }
    for (const std::string* line : added) {
      if (bcf_hdr_append(header.get(), line->c_str()) != 0) {
        throw FormatError(
            fmt::format("{}: the header line '{}' cannot be parsed", reader_.path(), *line));
      }
    }
    if (bcf_hdr_sync(header.get()) != 0) throw std::bad_alloc();
    return header;
  }

  void parse(VcfRecord& record) {
    const VcfRecord::Payload& payload = record.payload();
    line_.assign(payload.line);
    if (payload.info_begin == std::string::npos) line_.append("\t.");
    const int known_ids = header_->n[BCF_DT_ID];
    const int known_contigs = header_->n[BCF_DT_CTG];
    bcf_clear(scratch_.get());
    const int status = vcf_parse(&line_, header_.get(), scratch_.get());
    const int bits = scratch_->errcode;
    if (status == 0 && bits == 0) return;
    const std::string place = record_place(reader_.path(), record);
    if (known_contigs < header_->n[BCF_DT_CTG]) {
      throw FormatError(fmt::format(
          "{}: BCF needs every contig declared, '{}' is not; add ##contig lines (bcftools reheader "
          "-f FASTA.fai) or write VCF: -O z",
          place, record.contig));
    }
    if ((bits & BCF_ERR_TAG_UNDEF) != 0) {
      const bool known = known_ids < header_->n[BCF_DT_ID];
      throw FormatError(fmt::format(
          "{}: BCF needs every tag declared, '{}' of {} is not; add its header line (bcftools "
          "annotate -h) or write VCF: -O z",
          place, known ? header_->id[BCF_DT_ID][known_ids].key : "a tag",
          known ? kind_of_tag(known_ids) : "FILTER, INFO or FORMAT"));
    }
    throw FormatError(fmt::format(
        "{}: BCF cannot hold the record (a number out of range, an invalid character or a wrong "
        "count of values; htslib error {}); mend it or write VCF: -O z",
        place, bits));
  }

  const char* kind_of_tag(int id) const {
    if (bcf_hdr_idinfo_exists(header_.get(), BCF_HL_INFO, id)) return "INFO";
    if (bcf_hdr_idinfo_exists(header_.get(), BCF_HL_FMT, id)) return "FORMAT";
    return "FILTER";
  }

  void update(const VcfRecord& record, const InfoField& field, bcf1_t* out) {
    int status = 0;
    if (const auto* floats = std::get_if<std::vector<float>>(&field.values)) {
      floats_ = *floats;
      for (float& value : floats_) {
        if (std::isnan(value)) bcf_float_set_missing(value);
      }
      status = bcf_update_info_float(header_.get(), out, field.id.c_str(),
                                     floats_.empty() ? nullptr : floats_.data(),
                                     static_cast<int>(floats_.size()));
    } else {
      const auto& texts = std::get<std::vector<std::string>>(field.values);
      text_.clear();
      for (const std::string& text : texts) {
        if (!text_.empty()) text_ += ',';
        text_ += text.empty() ? "." : text;
      }
      status = bcf_update_info_string(header_.get(), out, field.id.c_str(),
                                      texts.empty() ? nullptr : text_.c_str());
    }
    if (status != 0) {
      throw InvalidArgument(
          fmt::format("{}: INFO/{} cannot be set: it is not declared in the header lines given, or "
                      "with another "
                      "type",
                      record_place(reader_.path(), record), field.id));
    }
  }

  OutputFile& file_;
  const VcfReader& reader_;
  HeaderPtr header_;
  HtsFilePtr hts_;
  BcfPtr scratch_;
  KString line_;
  std::vector<float> floats_;
  std::string text_;
};

}  // namespace

std::unique_ptr<VcfSink> make_bcf_sink(OutputFile& file, const VcfWriterOptions& options,
                                       const VcfHeaderText& header, const VcfReader& reader) {
  return std::make_unique<BcfSink>(file, options, header, reader);
}

}  // namespace ssmgen::io
