#include "io/read_reader.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <htslib/cram.h>
#include <htslib/sam.h>
#include <new>
#include <ssmgen/errors.hpp>

#include "genome/bases.hpp"
#include "io/byte_source.hpp"
#include "io/region_set.hpp"

namespace ssmgen::io {
namespace {

using SamHeaderPtr = std::unique_ptr<sam_hdr_t, FreeWith<sam_hdr_destroy>>;
using BamPtr = std::unique_ptr<bam1_t, FreeWith<bam_destroy1>>;

// Where nothing is found, in the form of a REF_PATH.
constexpr const char* no_ref_path = "/dev/null/%s";

bool is_remote(std::string_view path) {
  return path.find("://") != std::string_view::npos && !path.starts_with("file:");
}

// htslib asks a server at the EBI for a CRAM's reference unless REF_PATH names another place. A
// program that reads a patient's file must not tell anybody.
void forbid_remote_references() {
  const char* path = std::getenv("REF_PATH");
  if (path == nullptr || *path == '\0' || is_remote(path)) setenv("REF_PATH", no_ref_path, 1);
}

// The header may name a place in the network too.
void forget_remote_references(sam_hdr_t* header) {
  KString where;
  for (int i = 0; i < sam_hdr_nref(header); ++i) {
    if (sam_hdr_find_tag_pos(header, "SQ", i, "UR", &where) != 0) continue;
    if (is_remote(where.view())) {
      sam_hdr_remove_tag_id(header, "SQ", "SN", sam_hdr_tid2name(header, i), "UR");
    }
  }
}

int parse_flags(const std::string& text, const char* option) {
  if (text.empty()) return 0;
  const int flags = bam_str2flag(text.c_str());
  if (flags < 0 || flags > 0xffff) {
    throw InvalidArgument(fmt::format(
        "{}: expected flags as samtools takes them (0x904, 4, UNMAP,SECONDARY), got '{}'", option,
        text));
  }
  return flags;
}

}  // namespace

struct ReadReader::Impl {
  std::string path;
  SequenceFileOptions options;
  HtsFilePtr file;
  SamHeaderPtr header;
  IndexPtr index;
  IteratorPtr iterator;
  BamPtr read{bam_init1()};
  int require_flags = 0;
  int exclude_flags = 0;
  std::int64_t reads = 0;
  std::int64_t without_sequence = 0;

  bool is_cram() const { return file->format.format == cram; }

  std::string reference_hint() const {
    if (!is_cram()) return "";
    return options.cram_fasta.empty()
               ? "; a CRAM is read with its reference: give the FASTA it was made with by --fasta"
               : fmt::format("; is {} the FASTA it was made with?", options.cram_fasta);
  }

  void open(InputFile& input) {
    path = input.path;
    if (input.format.format == cram) forbid_remote_references();
    file.reset(hts_hopen(input.file.get(), input.path.c_str(), "r"));
    if (file == nullptr) {
      throw FormatError(fmt::format("{}: cannot be read: its beginning is truncated or damaged; {}",
                                    path, truncation_remedy()));
    }
    static_cast<void>(input.file.release());
    if (!options.cram_fasta.empty() && is_cram() &&
        hts_set_fai_filename(file.get(), options.cram_fasta.c_str()) != 0) {
      throw FormatError(fmt::format(
          "{}: cannot be used as a CRAM's reference: it must be FASTA, plain or bgzip, with a .fai "
          "beside it or a folder to write one to",
          options.cram_fasta));
    }
    header.reset(sam_hdr_read(file.get()));
    if (header == nullptr) {
      throw FormatError(
          fmt::format("{}: the header is truncated or damaged; {}", path, truncation_remedy()));
    }
    // The decoder looks at a header of its own, not at the copy that is handed out.
    if (is_cram()) forget_remote_references(cram_fd_get_header(file->fp.cram));
    if (!input.is_stdin && hts_check_EOF(file.get()) == 0) {
      throw FormatError(
          fmt::format("{}: truncated: the end marker is missing (looked for first, 0 reads were "
                      "read); {}",
                      path, truncation_remedy()));
    }
    // Only now: htslib asks its reading thread for the end marker, and waits for ever when that has
    // already met the cut.
    const HtsThreads* threads = options.threads;
    if (threads != nullptr && threads->count() > 0 &&
        hts_set_thread_pool(file.get(), &threads->impl().pool) != 0) {
      throw std::bad_alloc();
    }
  }

  void restrict_to_regions(bool is_stdin) {
    if (options.regions.empty()) return;
    if (is_stdin) {
      throw InvalidArgument("-r needs an index, which standard input has not: give the file");
    }
    std::vector<std::string> texts;
    for (const genome::Region& region :
         parse_regions(options.regions, "-r", [this](std::string_view name) {
           return sam_hdr_name2tid(header.get(), std::string(name).c_str()) >= 0;
         })) {
      if (sam_hdr_name2tid(header.get(), region.contig.c_str()) < 0) {
        throw InvalidArgument(fmt::format(
            "-r: contig {} is not in the header of {}, whose first is {}", region.contig, path,
            sam_hdr_nref(header.get()) > 0 ? sam_hdr_tid2name(header.get(), 0) : "none"));
      }
      std::string text = fmt::format("{{{}}}", region.contig);
      if (region.begin >= 0) text += fmt::format(":{}-", region.begin + 1);
      if (region.end != genome::Region::kToTheEnd) text += std::to_string(region.end);
      texts.push_back(std::move(text));
    }
    index.reset(sam_index_load3(file.get(), path.c_str(), nullptr, HTS_IDX_SILENT_FAIL));
    if (index == nullptr) {
      throw FormatError(fmt::format(
          "{}: -r needs an index beside it: sort the file by position and run 'samtools index {}'",
          path, path));
    }
    std::vector<char*> pointers;
    pointers.reserve(texts.size());
    for (std::string& text : texts) pointers.push_back(text.data());
    iterator.reset(sam_itr_regarray(index.get(), header.get(), pointers.data(),
                                    static_cast<unsigned>(pointers.size())));
    if (iterator == nullptr) {
      throw FormatError(
          fmt::format("{}: its index cannot be searched for {}", path, options.regions));
    }
  }

  bool read_next() {
    const int status = iterator != nullptr ? sam_itr_next(file.get(), iterator.get(), read.get())
                                           : sam_read1(file.get(), header.get(), read.get());
    if (status >= 0) {
      ++reads;
      return true;
    }
    if (status < -1) {
      throw FormatError(
          fmt::format("{}: read {} is cut or cannot be decoded, {} reads were read "
                      "before{}; {}",
                      path, reads + 1, reads, reference_hint(), truncation_remedy()));
    }
    const BGZF* bgzf = file->format.compression == ::bgzf && !is_cram() ? file->fp.bgzf : nullptr;
    if (bgzf != nullptr && iterator == nullptr && bgzf->no_eof_block != 0) {
      throw FormatError(
          fmt::format("{}: truncated: the BGZF end marker is missing after {} reads; {}", path,
                      reads, truncation_remedy()));
    }
    return false;
  }

  bool is_wanted() const {
    const bam1_core_t& core = read->core;
    return (core.flag & require_flags) == require_flags && (core.flag & exclude_flags) == 0 &&
           core.qual >= options.min_mapq;
  }

  void fill(SequenceRecord& record) const {
    const bam1_core_t& core = read->core;
    record.name = bam_get_qname(read.get());
    record.length = core.l_qseq;
    record.flag = core.flag;
    record.mapq = core.qual;
    const bool is_mapped = (core.flag & BAM_FUNMAP) == 0;
    record.strand = !is_mapped ? '.' : (core.flag & BAM_FREVERSE) != 0 ? '-' : '+';
    record.contig = core.tid < 0 ? "" : sam_hdr_tid2name(header.get(), core.tid);
    record.begin = core.tid < 0 ? -1 : core.pos;
    record.end = core.tid < 0 ? -1 : bam_endpos(read.get());
    const std::uint8_t* group = bam_aux_get(read.get(), "RG");
    const char* text = group == nullptr ? nullptr : bam_aux2Z(group);
    record.read_group = text == nullptr ? "" : text;
    record.letters.clear();
    if (options.lengths_only) return;
    const std::uint8_t* packed = bam_get_seq(read.get());
    for (int i = 0; i < core.l_qseq; ++i) {
      record.letters += seq_nt16_str[bam_seqi(packed, i)];
    }
    if (options.as_sequenced && (core.flag & BAM_FREVERSE) != 0) {
      record.letters = genome::reverse_complement(record.letters);
    }
  }
};

ReadReader::ReadReader(InputFile& input, const SequenceFileOptions& options)
    : impl_(std::make_unique<Impl>()) {
  silence_htslib();
  impl_->options = options;
  impl_->require_flags = parse_flags(options.require_flags, "-f");
  impl_->exclude_flags = parse_flags(options.exclude_flags, "-F");
  if (options.min_mapq < 0 || options.min_mapq > 255) {
    throw InvalidArgument(fmt::format("-q must be 0 to 255, not {}", options.min_mapq));
  }
  const bool is_stdin = input.is_stdin;
  impl_->open(input);
  impl_->restrict_to_regions(is_stdin);
}

ReadReader::~ReadReader() = default;

bool ReadReader::next(SequenceRecord& record) {
  while (impl_->read_next()) {
    if (!impl_->is_wanted()) continue;
    if (impl_->read->core.l_qseq == 0) {
      ++impl_->without_sequence;
      continue;
    }
    impl_->fill(record);
    return true;
  }
  return false;
}

std::int64_t ReadReader::without_sequence() const {
  return impl_->without_sequence;
}

}  // namespace ssmgen::io
