#pragma once
// The positions that a run reads, in the order in which a stack comes to them.

#include <cstdint>
#include <span>
#include <vector>

#include "stream/chunk_plan.hpp"
#include "stream/run_outputs.hpp"

namespace ssmgen::stream {

/// Positions whose activations are on the device: of whole sequences, or a chunk of one.
struct PartRange {
  std::int64_t first = 0;         ///< sequence
  std::int64_t count = 0;         ///< sequences
  std::int64_t begin = 0;         ///< position
  std::int64_t length = 0;        ///< positions of each sequence
  std::int64_t whole_length = 0;  ///< of the sequence

  std::int64_t rows() const noexcept { return count * length; }
  /// Of (batch * whole_length).
  std::int64_t first_row() const noexcept { return first * whole_length + begin; }
};

/// Rows are read in pieces of this, so that reading every position needs no second copy of a long
/// sequence on the device or the host.
inline constexpr std::int64_t piece_rows = 16384;

/// body(begin, end) for the pieces of so many rows.
template <class Body>
void for_pieces(std::int64_t rows, Body&& body) {
  for (std::int64_t begin = 0; begin < rows; begin += piece_rows) {
    body(begin, begin + piece_rows < rows ? begin + piece_rows : rows);
  }
}

class ReadOrder {
 public:
  /// `reads` must outlive it.
  /// @throws InvalidArgument for reads outside the batch or not ordered by sequence.
  ReadOrder(std::span<const RowRead> reads, std::int64_t batch, std::int64_t length);

  bool is_empty() const noexcept { return order_.empty(); }
  /// From the first to the last position read of these sequences; empty for none.
  ChunkRange positions(std::int64_t first, std::int64_t count) const;
  /// The positions read of one sequence, ascending, each once.
  std::vector<std::int64_t> positions_of(std::int64_t sequence) const;

  /// The next reads inside the part, at most piece_rows: their rows of the part, ascending within a
  /// sequence. False when there are none. Parts come in order of sequence and position.
  bool next(const PartRange& part, std::vector<std::int64_t>& rows);
  /// Puts rows of values, one for each read that next() found last, where their reads stand.
  void put(std::span<const float> values, std::int64_t width, float* to) const;

 private:
  const RowRead& read(std::size_t i) const { return reads_[static_cast<std::size_t>(order_[i])]; }

  std::span<const RowRead> reads_;
  std::vector<std::int64_t> order_;  // of reads, by sequence and position
  std::size_t found_ = 0;            // of order_: the first that next() found last
  std::size_t next_ = 0;
};

}  // namespace ssmgen::stream
