// Genomes that R holds.

#include <algorithm>

#include "binding.hpp"

namespace ssmgen::r {

namespace {

// R is asked for so many bases at once; what lies near is asked for soon.
constexpr std::int64_t block_bases = std::int64_t{1} << 17;

class RGenome : public Genome {
 public:
  explicit RGenome(const Rcpp::List& source)
      : name_(Rcpp::as<std::string>(source["name"])), fetch_(Rcpp::Function(source["fetch"])) {
    const Rcpp::CharacterVector names = source["contigs"];
    const Rcpp::NumericVector lengths = source["lengths"];
    for (R_xlen_t i = 0; i < names.size(); ++i) {
      contigs_.push_back({Rcpp::as<std::string>(names[i]), static_cast<std::int64_t>(lengths[i])});
    }
  }

  const std::string& name() const override { return name_; }
  const std::vector<GenomeContig>& contigs() const override { return contigs_; }

  void fetch(std::int64_t contig, std::int64_t begin, std::int64_t end,
             std::string& letters) override {
    const std::int64_t block_end = block_begin_ + static_cast<std::int64_t>(block_.size());
    if (contig != block_contig_ || begin < block_begin_ || end > block_end) {
      load(contig, begin, end);
    }
    letters.assign(block_, static_cast<std::size_t>(begin - block_begin_),
                   static_cast<std::size_t>(end - begin));
  }

 private:
  void load(std::int64_t contig, std::int64_t begin, std::int64_t end) {
    const std::int64_t length = contigs_[static_cast<std::size_t>(contig)].length;
    // A little before the request too: the next one may begin slightly earlier.
    const std::int64_t from = std::max<std::int64_t>(0, begin - block_bases / 8);
    const std::int64_t to = std::min(length, std::max(end, from + block_bases));
    block_contig_ = -1;
    const Rcpp::CharacterVector found = fetch_(
        static_cast<double>(contig + 1), static_cast<double>(from + 1), static_cast<double>(to));
    block_ = Rcpp::as<std::string>(found[0]);
    if (static_cast<std::int64_t>(block_.size()) != to - from) {
      throw FormatError(name_ + ": " + contigs_[static_cast<std::size_t>(contig)].name + " has " +
                        std::to_string(block_.size()) + " bases where " +
                        std::to_string(to - from) + " were expected");
    }
    block_contig_ = contig;
    block_begin_ = from;
  }

  std::string name_;
  Rcpp::Function fetch_;
  std::vector<GenomeContig> contigs_;
  std::int64_t block_contig_ = -1;
  std::int64_t block_begin_ = 0;
  std::string block_;
};

}  // namespace

std::unique_ptr<Genome> open_genome(const Rcpp::List& source, Told& told) {
  if (source.containsElementNamed("path")) {
    return open_fasta(Rcpp::as<std::string>(source["path"]), told.on_warning());
  }
  return std::make_unique<RGenome>(source);
}

std::vector<GenomeRegion> regions_of(const Rcpp::List& columns) {
  const Rcpp::CharacterVector contig = columns["contig"];
  const Rcpp::NumericVector begin = columns["begin"];
  const Rcpp::NumericVector end = columns["end"];
  const Rcpp::LogicalVector minus = columns["minus"];
  std::vector<GenomeRegion> regions;
  for (R_xlen_t i = 0; i < contig.size(); ++i) {
    regions.push_back({Rcpp::as<std::string>(contig[i]), static_cast<std::int64_t>(begin[i]),
                       static_cast<std::int64_t>(end[i]), minus[i] == TRUE});
  }
  return regions;
}

}  // namespace ssmgen::r

// [[Rcpp::export]]
Rcpp::List genome_contigs(const Rcpp::List& genome) {
  using namespace ssmgen;
  return r::guarded([&](r::Told& told) {
    const std::unique_ptr<Genome> opened = r::open_genome(genome, told);
    Rcpp::NumericVector lengths;
    Rcpp::CharacterVector names;
    for (const GenomeContig& contig : opened->contigs()) {
      names.push_back(contig.name);
      lengths.push_back(static_cast<double>(contig.length));
    }
    lengths.names() = names;
    return lengths;
  });
}

// [[Rcpp::export]]
Rcpp::List region_sequences(const Rcpp::List& genome, const Rcpp::List& regions) {
  using namespace ssmgen;
  return r::guarded([&](r::Told& told) {
    const std::unique_ptr<Genome> opened = r::open_genome(genome, told);
    return Rcpp::wrap(fetch_regions(*opened, r::regions_of(regions)));
  });
}
