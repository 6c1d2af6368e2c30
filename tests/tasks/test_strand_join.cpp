#include <gtest/gtest.h>

#include "tasks/strand_join.hpp"

namespace ssmgen::tasks {
namespace {

constexpr std::int64_t channels = 2;

// Values that tell strand, row and channel.
std::vector<float> rows_of(bool minus, std::int64_t first, std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = first * channels; i < (first + count) * channels; ++i) {
    values.push_back(static_cast<float>(minus ? -3 * i : i));
  }
  return values;
}

struct Piece {
  bool minus;
  std::int64_t first;
  std::int64_t count;
};

ResolvedEmbed settings_of(EmbedStrand strand) {
  ResolvedEmbed settings;
  settings.layers = {0, 4};
  settings.strand = strand;
  settings.model_has_both_strands = true;
  settings.strand_channels = channels;
  settings.channels = strand == EmbedStrand::concat ? 2 * channels : channels;
  return settings;
}

// Whatever the order of the strands, the rows of a layer come out whole and in order.
TEST(StrandJoin, JoinsPiecesInWhateverOrderTheStrandsCome) {
  const std::vector<std::vector<Piece>> orders{
      {{false, 0, 3}, {true, 0, 3}, {false, 3, 2}, {true, 3, 2}},
      {{true, 0, 3}, {true, 3, 2}, {false, 0, 3}, {false, 3, 2}},
      {{false, 0, 5}, {true, 0, 2}, {true, 2, 3}},
      {{true, 0, 2}, {false, 0, 4}, {true, 2, 3}, {false, 4, 1}},
  };
  for (const EmbedStrand strand :
       {EmbedStrand::plus, EmbedStrand::minus, EmbedStrand::mean, EmbedStrand::concat}) {
    const ResolvedEmbed settings = settings_of(strand);
    StrandJoin join(settings);
    for (const std::vector<Piece>& order : orders) {
      join.begin(5);
      for (const std::int64_t layer : {1, 0}) {
        std::vector<float> got;
        const auto taker = [&](std::int64_t of, std::int64_t first, std::span<const float> values) {
          EXPECT_EQ(of, layer);
          EXPECT_EQ(first * settings.channels, static_cast<std::int64_t>(got.size()));
          got.insert(got.end(), values.begin(), values.end());
        };
        for (const Piece& piece : order) {
          join.take(layer, piece.minus, piece.first, rows_of(piece.minus, piece.first, piece.count),
                    taker);
        }
        const std::vector<float> plus = rows_of(false, 0, 5);
        const std::vector<float> minus = rows_of(true, 0, 5);
        std::vector<float> expected;
        for (std::size_t i = 0; i < plus.size(); ++i) {
          if (strand == EmbedStrand::plus) expected.push_back(plus[i]);
          if (strand == EmbedStrand::minus) expected.push_back(minus[i]);
          if (strand == EmbedStrand::mean) expected.push_back((plus[i] + minus[i]) / 2);
          if (strand == EmbedStrand::concat && i % channels == 0) {
            expected.insert(expected.end(), {plus[i], plus[i + 1], minus[i], minus[i + 1]});
          }
        }
        EXPECT_EQ(got, expected);
      }
    }
  }
}

TEST(StrandJoin, HandsOnAMinusStrandThatCameByItself) {
  ResolvedEmbed settings = settings_of(EmbedStrand::minus);
  settings.model_has_both_strands = false;
  StrandJoin join(settings);
  join.begin(3);
  for (const std::int64_t layer : {0, 1}) {
    join.put_aside(layer, 2, rows_of(true, 2, 1));
    join.put_aside(layer, 0, rows_of(true, 0, 2));
  }
  std::vector<float> got;
  join.end_aside([&](std::int64_t layer, std::int64_t, std::span<const float> values) {
    if (layer == 1) got.insert(got.end(), values.begin(), values.end());
  });
  EXPECT_EQ(got, rows_of(true, 0, 3));
}

}  // namespace
}  // namespace ssmgen::tasks
