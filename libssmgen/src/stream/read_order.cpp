#include "stream/read_order.hpp"

#include <algorithm>
#include <numeric>
#include <ssmgen/errors.hpp>
#include <utility>

namespace ssmgen::stream {

ReadOrder::ReadOrder(std::span<const RowRead> reads, std::int64_t batch, std::int64_t length)
    : reads_(reads), order_(reads.size()) {
  std::int64_t sequence = 0;
  for (const RowRead& read : reads) {
    if (read.sequence < sequence || read.sequence >= batch || read.position < 0 ||
        read.position >= length) {
      throw InvalidArgument("reads must be ordered by sequence and lie inside the batch");
    }
    sequence = read.sequence;
  }
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  const auto place = [&](std::int64_t i) {
    const RowRead& of = reads[static_cast<std::size_t>(i)];
    return std::pair(of.sequence, of.position);
  };
  std::stable_sort(order_.begin(), order_.end(),
                   [&place](std::int64_t a, std::int64_t b) { return place(a) < place(b); });
}

ChunkRange ReadOrder::positions(std::int64_t first, std::int64_t count) const {
  const auto begin = std::ranges::lower_bound(reads_, first, {}, &RowRead::sequence);
  const auto end =
      std::ranges::lower_bound(begin, reads_.end(), first + count, {}, &RowRead::sequence);
  if (begin == end) return {};
  const auto [lowest, highest] = std::ranges::minmax(std::span(begin, end), {}, &RowRead::position);
  return {lowest.position, highest.position + 1};
}

std::vector<std::int64_t> ReadOrder::positions_of(std::int64_t sequence) const {
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (read(i).sequence != sequence) continue;
    if (found.empty() || found.back() != read(i).position) found.push_back(read(i).position);
  }
  return found;
}

bool ReadOrder::next(const PartRange& part, std::vector<std::int64_t>& rows) {
  found_ = next_;
  rows.clear();
  for (; next_ < order_.size() && std::ssize(rows) < piece_rows; ++next_) {
    const RowRead& of = read(next_);
    if (of.sequence >= part.first + part.count || of.position >= part.begin + part.length) break;
    rows.push_back((of.sequence - part.first) * part.length + of.position - part.begin);
  }
  return !rows.empty();
}

void ReadOrder::put(std::span<const float> values, std::int64_t width, float* to) const {
  const float* from = values.data();
  for (std::size_t i = found_; i < next_; ++i, from += width) {
    std::copy_n(from, width, to + order_[i] * width);
  }
}

}  // namespace ssmgen::stream
