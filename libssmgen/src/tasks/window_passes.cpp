#include "tasks/window_passes.hpp"

#include <algorithm>
#include <functional>

#include "genome/bases.hpp"

namespace ssmgen::tasks {
namespace {

// Windows are remembered after their pass, since records at one site stand close together in a
// file; the oldest are forgotten past this.
constexpr std::int64_t remembered_bytes = std::int64_t{64} << 20;

std::int64_t bytes_of(const WindowPass& pass) {
  return static_cast<std::int64_t>(sizeof(WindowPass) + pass.letters.size() +
                                   pass.log_probabilities.size() * sizeof(float));
}

}  // namespace

std::size_t WindowPasses::KeyHash::operator()(const WindowKey& key) const noexcept {
  std::size_t hash = std::hash<std::string>{}(key.replacement);
  for (const std::int64_t part : {key.contig, key.start, key.edit_offset, key.mask_bases,
                                  static_cast<std::int64_t>(key.minus_strand)}) {
    hash ^= std::hash<std::int64_t>{}(part) + 0x9e3779b97f4a7c15ull + (hash << 6) + (hash >> 2);
  }
  return hash;
}

WindowPasses::WindowPasses(const Model::Impl& model, Genome& genome, std::int64_t window_bases)
    : genome_(genome),
      window_bases_(window_bases),
      vocabulary_(model.dna()),
      encoder_(vocabulary_),
      runner_(model.runner()) {}

PassRead WindowPasses::request(const WindowKey& key, std::int64_t begin, std::int64_t end) {
  auto& pass = recent_[key];
  if (pass != nullptr) {
    for (const ReadRange& range : pass->reads) {
      if (range.begin <= begin && end <= range.end) {
        return {pass, begin, range.first_row + begin - range.begin};
      }
    }
  }
  if (pass == nullptr || pass->is_done) {
    pass = std::make_shared<WindowPass>();
    pass->key = key;
    pending_.push_back(pass);
    order_.push_back(pass);
  }
  std::int64_t rows = 0;
  for (const ReadRange& range : pass->reads) rows += range.end - range.begin;
  pass->reads.push_back({begin, end, rows});
  return {pass, begin, rows};
}

void WindowPasses::encode(WindowPass& pass, std::span<std::int32_t> ids) {
  const WindowKey& key = pass.key;
  std::string& letters = pass.letters;
  const std::int64_t contig_length = genome_.contigs()[static_cast<std::size_t>(key.contig)].length;
  const std::int64_t begin = std::max<std::int64_t>(0, key.start);
  const std::int64_t end = std::min(contig_length, key.start + window_bases_);
  letters.clear();
  if (begin < end) genome_.fetch(key.contig, begin, end, letters);
  letters.insert(0, static_cast<std::size_t>(begin - key.start), 'N');
  letters.resize(static_cast<std::size_t>(window_bases_), 'N');
  letters.replace(static_cast<std::size_t>(key.edit_offset), key.replacement.size(),
                  key.replacement);
  std::int64_t masked = key.edit_offset;
  if (key.minus_strand) {
    letters = genome::reverse_complement(letters);
    masked = window_bases_ - key.edit_offset - key.mask_bases;
  }
  encoder_.encode(letters, ids);
  std::fill_n(ids.begin() + masked, key.mask_bases, vocabulary_.mask);
}

void WindowPasses::run() {
  if (pending_.empty()) return;
  const auto windows = static_cast<std::int64_t>(pending_.size());
  ids_.resize(static_cast<std::size_t>(windows * window_bases_));
  std::vector<stream::RowRead> reads;
  for (std::int64_t i = 0; i < windows; ++i) {
    WindowPass& pass = *pending_[static_cast<std::size_t>(i)];
    encode(pass, std::span(ids_).subspan(static_cast<std::size_t>(i * window_bases_),
                                         static_cast<std::size_t>(window_bases_)));
    for (const ReadRange& range : pass.reads) {
      for (std::int64_t position = range.begin; position < range.end; ++position) {
        reads.push_back({i, position});
      }
    }
  }
  std::vector<float> log_probabilities(reads.size() * 4);
  stream::RunOutputs outputs;
  outputs.reads = reads;
  outputs.base_log_probabilities = log_probabilities.data();
  outputs.base_ids = vocabulary_.base_ids;
  runner_->run(ids_, windows, window_bases_, outputs);

  auto from = log_probabilities.begin();
  for (const std::shared_ptr<WindowPass>& pass : pending_) {
    const ReadRange& last = pass->reads.back();
    const auto values = (last.first_row + last.end - last.begin) * 4;
    pass->log_probabilities.assign(from, from + values);
    pass->is_done = true;
    from += values;
    held_bytes_ += bytes_of(*pass);
  }
  windows_run_ += windows;
  pending_.clear();
  while (held_bytes_ > remembered_bytes) {
    const auto found = recent_.find(order_.front()->key);
    if (found != recent_.end() && found->second == order_.front()) recent_.erase(found);
    held_bytes_ -= bytes_of(*order_.front());
    order_.pop_front();
  }
}

}  // namespace ssmgen::tasks
