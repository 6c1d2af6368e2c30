#include "io/fasta.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <htslib/faidx.h>
#include <htslib/hts.h>
#include <ssmgen/errors.hpp>
#include <unordered_map>

#include "genome/bases.hpp"
#include "io/fasta_index.hpp"
#include "io/hts_internal.hpp"

namespace ssmgen::io {
namespace {

// The block read at a place nobody was near, and the largest it grows to.
constexpr std::int64_t kSmallBlockBases = std::int64_t{1} << 13;
constexpr std::int64_t kLargeBlockBases = std::int64_t{1} << 20;

struct TransparentHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace

struct Fasta::Impl {
  std::string path;
  std::unique_ptr<faidx_t, FreeWith<fai_destroy>> index;
  std::vector<genome::Contig> contigs;
  std::unordered_map<std::string, std::int64_t, TransparentHash, std::equal_to<>> by_name;
  std::vector<std::string> md5s;

  // The cached block.
  std::int64_t block_contig = -1;
  std::int64_t block_begin = 0;
  std::string block;
  std::int64_t block_bases = kSmallBlockBases;

  const genome::Contig& contig_at(std::int64_t contig) const {
    if (contig < 0 || contig >= static_cast<std::int64_t>(contigs.size())) {
      throw InvalidArgument(
          fmt::format("{}: has {} contigs, number {} is not one", path, contigs.size(), contig));
    }
    return contigs[static_cast<std::size_t>(contig)];
  }

  // Upper-cased bases straight from the file.
  void load(const genome::Contig& contig, std::int64_t begin, std::int64_t end, std::string& out) {
    if (begin == end) {
      out.clear();
      return;
    }
    hts_pos_t length = 0;
    const std::unique_ptr<char, FreeWith<std::free>> text(
        faidx_fetch_seq64(index.get(), contig.name.c_str(), begin, end - 1, &length));
    if (text == nullptr || length != end - begin) {
      throw FormatError(fmt::format(
          "{}: {}:{}-{} cannot be read: the file is truncated or damaged, or its index is wrong; "
          "'samtools faidx {}' after removing the index says more",
          path, contig.name, begin + 1, end, path));
    }
    out.assign(text.get(), static_cast<std::size_t>(length));
    genome::upper_case(out);
  }

  // Makes the block hold [begin, end).
  void load_block(std::int64_t number, std::int64_t begin, std::int64_t end) {
    const genome::Contig& contig = contigs[static_cast<std::size_t>(number)];
    const std::int64_t old_end = block_begin + static_cast<std::int64_t>(block.size());
    const bool near = number == block_contig && begin + kLargeBlockBases >= block_begin &&
                      begin <= old_end + kLargeBlockBases;
    block_bases = near ? std::min(2 * block_bases, kLargeBlockBases) : kSmallBlockBases;
    // A little before the request too: the next one may begin slightly earlier.
    const std::int64_t from = std::max<std::int64_t>(0, begin - block_bases / 8);
    const std::int64_t to = std::min(contig.length, std::max(end, from + block_bases));
    block_contig = -1;
    load(contig, from, to, block);
    block_contig = number;
    block_begin = from;
  }
};

Fasta::Fasta(const std::string& path, const std::function<void(const std::string&)>& on_warning)
    : impl_(std::make_unique<Impl>()) {
  silence_htslib();
  const FastaFile file = inspect_fasta(path);
  const FastaIndexFiles files(file, on_warning);
  impl_->path = path;
  impl_->index.reset(
      fai_load3(path.c_str(), files.fai_path().c_str(), files.gzi_path().c_str(), 0));
  if (impl_->index == nullptr) {
    throw FormatError(
        fmt::format("{}: cannot be opened with its index {}", path, files.fai_path()));
  }
  for (const FastaIndexEntry& entry : files.entries()) {
    impl_->by_name.emplace(entry.name, static_cast<std::int64_t>(impl_->contigs.size()));
    impl_->contigs.push_back({entry.name, entry.length});
  }
  impl_->md5s.resize(impl_->contigs.size());
}

Fasta::~Fasta() = default;
Fasta::Fasta(Fasta&&) noexcept = default;
Fasta& Fasta::operator=(Fasta&&) noexcept = default;

const std::string& Fasta::path() const {
  return impl_->path;
}

const std::vector<genome::Contig>& Fasta::contigs() const {
  return impl_->contigs;
}

std::int64_t Fasta::find(std::string_view name) const {
  const auto found = impl_->by_name.find(name);
  return found == impl_->by_name.end() ? -1 : found->second;
}

std::string Fasta::fetch(std::int64_t contig, std::int64_t begin, std::int64_t end) {
  std::string letters;
  fetch(contig, begin, end, letters);
  return letters;
}

void Fasta::fetch(std::int64_t contig, std::int64_t begin, std::int64_t end, std::string& letters) {
  const genome::Contig& where = impl_->contig_at(contig);
  if (begin < 0 || end < begin || end > where.length) {
    throw InvalidArgument(fmt::format("{}: [{}, {}) does not lie on '{}' of {} bases", impl_->path,
                                      begin, end, where.name, where.length));
  }
  // Whole chromosomes go past the cache.
  if (end - begin > kLargeBlockBases) {
    impl_->load(where, begin, end, letters);
    return;
  }
  const std::int64_t block_end =
      impl_->block_begin + static_cast<std::int64_t>(impl_->block.size());
  if (contig != impl_->block_contig || begin < impl_->block_begin || end > block_end) {
    impl_->load_block(contig, begin, end);
  }
  letters.assign(impl_->block, static_cast<std::size_t>(begin - impl_->block_begin),
                 static_cast<std::size_t>(end - begin));
}

std::string Fasta::md5(std::int64_t contig) {
  const genome::Contig& where = impl_->contig_at(contig);
  std::string& known = impl_->md5s[static_cast<std::size_t>(contig)];
  if (!known.empty()) return known;
  const std::unique_ptr<hts_md5_context, FreeWith<hts_md5_destroy>> context(hts_md5_init());
  if (context == nullptr) throw std::bad_alloc();
  std::string letters;
  for (std::int64_t begin = 0; begin < where.length; begin += kLargeBlockBases) {
    impl_->load(where, begin, std::min(where.length, begin + kLargeBlockBases), letters);
    hts_md5_update(context.get(), letters.data(), letters.size());
  }
  std::array<unsigned char, 16> digest{};
  std::array<char, 33> text{};
  hts_md5_final(digest.data(), context.get());
  hts_md5_hex(text.data(), digest.data());
  known.assign(text.data(), 32);
  return known;
}

}  // namespace ssmgen::io
