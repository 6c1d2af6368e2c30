#pragma once
// A reference genome in FASTA, plain or bgzip, by faidx.

#include <cstdint>
#include <functional>
#include <memory>
#include <ssmgen/genome.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "genome/contig_names.hpp"

namespace ssmgen::io {

/// Random access to the sequences of a FASTA file.
///
/// The index (`.fai`, and `.gzi` for bgzip) is used when it is there, else built beside the file,
/// or in memory where the folder cannot be written. An index that was there is checked against the
/// file before it is trusted. Not thread-safe: the file position and the block cache are shared by
/// all calls, so each thread needs a Fasta of its own or a lock.
class Fasta final : public Genome {
 public:
  /// Opens the file.
  /// @param on_warning told what is worth saying: an index kept in memory, an old index that fits
  /// @throws FormatError when the file is missing, unreadable, a directory, empty, not FASTA,
  ///   compressed by gzip instead of bgzip, or its index does not fit it; the message has the
  ///   remedy
  explicit Fasta(const std::string& path,
                 const std::function<void(const std::string&)>& on_warning = nullptr);
  ~Fasta() override;
  Fasta(Fasta&&) noexcept;
  Fasta& operator=(Fasta&&) noexcept;

  const std::string& path() const;
  const std::string& name() const override { return path(); }

  /// Names and lengths in file order.
  const std::vector<genome::Contig>& contigs() const override;

  /// Index of a contig by its exact name, -1 when there is none.
  std::int64_t find(std::string_view name) const;

  /// The bases [begin, end) of a contig, upper-cased.
  ///
  /// Served from a block around the last request where that holds them; the block grows up to
  /// 1 MiB while requests move along a contig and stays small while they jump about.
  /// @throws InvalidArgument when the contig index or the range lies outside the file
  /// @throws FormatError when the file cannot be read there
  std::string fetch(std::int64_t contig, std::int64_t begin, std::int64_t end);

  /// The same into `letters`, whose storage is reused.
  void fetch(std::int64_t contig, std::int64_t begin, std::int64_t end,
             std::string& letters) override;

  /// MD5 of the whole upper-cased sequence in hexadecimal, as SAM's M5 tag defines it; read block
  /// by block, and kept after the first call.
  /// @throws InvalidArgument, FormatError as fetch does
  std::string md5(std::int64_t contig);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssmgen::io
