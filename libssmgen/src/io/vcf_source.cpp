#include "io/vcf_source.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <new>
#include <ssmgen/errors.hpp>

#include "base/files.hpp"

namespace ssmgen::io {

std::string index_path(const std::string& path) {
  for (const char* suffix : {".csi", ".tbi"}) {
    if (base::file_exists(path + suffix)) return path + suffix;
  }
  return {};
}

bool VcfIndex::load(const std::string& path, bool is_bcf, const bcf_hdr_t* header) {
  const std::string index = index_path(path);
  if (index.empty()) return false;
  header_ = header;
  if (is_bcf) {
    csi_.reset(bcf_index_load3(path.c_str(), index.c_str(), HTS_IDX_SILENT_FAIL));
    index_ = csi_.get();
  } else {
    tabix_.reset(tbx_index_load3(path.c_str(), index.c_str(), HTS_IDX_SILENT_FAIL));
    index_ = tabix_ == nullptr ? nullptr : tabix_->idx;
  }
  return index_ != nullptr;
}

int VcfIndex::contig_number(const std::string& name) const {
  return tabix_ != nullptr ? tbx_name2id(tabix_.get(), name.c_str())
                           : bcf_hdr_name2id(header_, name.c_str());
}

VcfIndexSummary VcfIndex::summary() const {
  std::vector<std::string> names;
  if (tabix_ != nullptr) {
    int count = 0;
    const std::unique_ptr<const char*, FreeWith<std::free>> list(
        tbx_seqnames(tabix_.get(), &count));
    for (int i = 0; i < count; ++i) names.emplace_back(list.get()[i]);
  } else {
    for (int i = 0; i < header_->n[BCF_DT_CTG]; ++i) {
      const char* name = header_->id[BCF_DT_CTG][i].key;
      names.emplace_back(name == nullptr ? "" : name);
    }
  }
  VcfIndexSummary summary;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::uint64_t mapped = 0;
    std::uint64_t unmapped = 0;
    if (hts_idx_get_stat(index_, static_cast<int>(i), &mapped, &unmapped) != 0 || mapped == 0) {
      continue;
    }
    summary.contigs.push_back(names[i]);
    summary.record_counts.push_back(static_cast<std::int64_t>(mapped));
    summary.record_count += static_cast<std::int64_t>(mapped);
  }
  return summary;
}

ChunkCursor::Chunks VcfIndex::chunks(const std::vector<genome::Region>& regions) const {
  ChunkCursor::Chunks all;
  for (const genome::Region& region : regions) {
    const int number = contig_number(region.contig);
    if (number < 0) continue;
    const std::int64_t begin = std::max<std::int64_t>(0, region.begin);
    const std::int64_t end = std::min<std::int64_t>(region.end, HTS_POS_MAX);
    const IteratorPtr found(hts_itr_query(index_, number, begin, std::max(end, begin + 1),
                                          tabix_ != nullptr ? tbx_readrec : bcf_readrec));
    if (found == nullptr) continue;
    for (int i = 0; i < found->n_off; ++i) all.emplace_back(found->off[i].u, found->off[i].v);
  }
  // Regions may share blocks: each part of the file is read once, in file order.
  std::sort(all.begin(), all.end());
  ChunkCursor::Chunks merged;
  for (const auto& chunk : all) {
    if (!merged.empty() && chunk.first <= merged.back().second) {
      merged.back().second = std::max(merged.back().second, chunk.second);
    } else {
      merged.push_back(chunk);
    }
  }
  return merged;
}

bool ChunkCursor::advance(BGZF* file) {
  while (at_ < chunks_.size()) {
    if (!inside_) {
      if (bgzf_seek(file, static_cast<std::int64_t>(chunks_[at_].first), SEEK_SET) != 0) {
        throw InputDamage{"the index points behind the end of the file: it is not this file's"};
      }
      inside_ = true;
    }
    if (static_cast<std::uint64_t>(bgzf_tell(file)) < chunks_[at_].second) return true;
    inside_ = false;
    ++at_;
  }
  return false;
}

VcfLineSource::VcfLineSource(InputFile& input, const HtsThreads* threads) {
  lines_.emplace(make_byte_source(input, threads));
}

void VcfLineSource::restrict_to(const std::string& path, ChunkCursor::Chunks chunks,
                                const HtsThreads* threads) {
  InputFile input = open_input(path);
  file_ = open_bgzf(input, threads);
  lines_.reset();
  cursor_.emplace(std::move(chunks));
  is_put_back_ = false;
}

bool VcfLineSource::next(std::string_view& line, LineEnd& end) {
  if (is_put_back_) {
    is_put_back_ = false;
    line = last_line_;
    end = last_end_;
    return true;
  }
  bool found = false;
  if (lines_) {
    found = lines_->next(line, end);
  } else if (cursor_->advance(file_.get())) {
    const int length = bgzf_getline(file_.get(), '\n', &buffer_);
    if (length < -1) {
      throw InputDamage{fmt::format("truncated or damaged: the BGZF block at byte {} is broken",
                                    file_->block_address)};
    }
    if (length == -1) {
      throw InputDamage{"the file ends where its index says there is more: it is not this file's"};
    }
    // bgzf_getline takes a carriage return away by itself.
    line = buffer_.view();
    end = LineEnd::newline;
    found = true;
  }
  last_line_ = line;
  last_end_ = end;
  return found;
}

std::int64_t VcfLineSource::file_offset() const {
  return lines_ ? lines_->file_offset() : file_->block_address;
}

BcfSource::BcfSource(InputFile& input, const HtsThreads* threads) {
  const bool is_bgzf = input.format.compression == bgzf;
  const std::string& name = input.path;
  file_.reset(hts_hopen(input.file.get(), name.c_str(), "r"));
  if (file_ == nullptr) throw FormatError(fmt::format("{}: cannot be read as BCF", name));
  static_cast<void>(input.file.release());
  if (is_bgzf && bgzf_check_EOF(file_->fp.bgzf) <= 0) {
    throw FormatError(fmt::format(
        "{}: truncated: the BGZF end marker is missing (looked for first, 0 records were read); {}",
        name, truncation_remedy()));
  }
  if (threads != nullptr && threads->count() > 0 && is_bgzf) {
    if (hts_set_thread_pool(file_.get(), &threads->impl().pool) != 0) throw std::bad_alloc();
  }
  header_.reset(bcf_hdr_read(file_.get()));
  if (header_ == nullptr) {
    throw FormatError(
        fmt::format("{}: the BCF header is truncated, damaged or of BCF version 1; {}", name,
                    truncation_remedy()));
  }
}

bool BcfSource::next(bcf1_t* record) {
  if (cursor_ && !cursor_->advance(file_->fp.bgzf)) return false;
  const int status = bcf_read(file_.get(), header_.get(), record);
  if (status == 0) return true;
  if (status < -1) throw InputDamage{"truncated or damaged: a BCF record is cut or broken"};
  if (file_->fp.bgzf->no_eof_block != 0 && file_->fp.bgzf->is_compressed != 0) {
    throw InputDamage{"truncated: the BGZF end marker is missing"};
  }
  return false;
}

std::int64_t BcfSource::file_offset() const {
  return file_->fp.bgzf->block_address;
}

}  // namespace ssmgen::io
