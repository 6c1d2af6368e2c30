#include <gtest/gtest.h>

#include "genome/window.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::genome {
namespace {

TEST(Window, DefaultOffsetIsTheLowerMiddle) {
  EXPECT_EQ(default_site_offset(512), 255);
  EXPECT_EQ(default_site_offset(511), 255);
  EXPECT_EQ(default_site_offset(1), 0);
  EXPECT_EQ(default_site_offset(2), 0);
}

TEST(Window, BothEdgesAgreeInsideTheContig) {
  for (Edge edge : {Edge::shift, Edge::pad}) {
    EXPECT_EQ(place_window(10'000, 5'000, 512, edge), (WindowPlacement{4'745, 255}));
    EXPECT_EQ(place_window(10'000, 255, 512, edge), (WindowPlacement{0, 255}));
    EXPECT_EQ(place_window(10'000, 9'743, 512, edge), (WindowPlacement{9'488, 255}));
  }
}

TEST(Window, ShiftKeepsRealBasesAtBothEnds) {
  EXPECT_EQ(place_window(10'000, 0, 512, Edge::shift), (WindowPlacement{0, 0}));
  EXPECT_EQ(place_window(10'000, 254, 512, Edge::shift), (WindowPlacement{0, 254}));
  EXPECT_EQ(place_window(10'000, 9'744, 512, Edge::shift), (WindowPlacement{9'488, 256}));
  EXPECT_EQ(place_window(10'000, 9'999, 512, Edge::shift), (WindowPlacement{9'488, 511}));
}

TEST(Window, PadKeepsTheOffsetAtBothEnds) {
  EXPECT_EQ(place_window(10'000, 0, 512, Edge::pad), (WindowPlacement{-255, 255}));
  EXPECT_EQ(place_window(10'000, 9'999, 512, Edge::pad), (WindowPlacement{9'744, 255}));
}

TEST(Window, ContigShorterThanTheWindow) {
  EXPECT_EQ(place_window(100, 99, 512, Edge::shift), (WindowPlacement{0, 99}));
  EXPECT_EQ(place_window(100, 0, 512, Edge::shift), (WindowPlacement{0, 0}));
  EXPECT_EQ(place_window(512, 400, 512, Edge::shift), (WindowPlacement{0, 400}));
  EXPECT_EQ(place_window(100, 99, 512, Edge::pad), (WindowPlacement{-156, 255}));
}

TEST(Window, EverySiteLiesInItsWindow) {
  for (std::int64_t length : {1, 2, 7, 8, 9, 20}) {
    for (std::int64_t window : {1, 2, 7, 8}) {
      for (std::int64_t site = 0; site < length; ++site) {
        const WindowPlacement shifted = place_window(length, site, window, Edge::shift);
        EXPECT_EQ(shifted.start + shifted.site_offset, site);
        EXPECT_GE(shifted.start, 0);
        EXPECT_GE(shifted.site_offset, 0);
        EXPECT_LT(shifted.site_offset, window);
        if (length >= window) {
          EXPECT_LE(shifted.start + window, length);
        }
      }
    }
  }
}

TEST(Window, RefusesWhatIsNotThere) {
  test::expect_error<InvalidArgument>([] { place_window(10, 10, 5, Edge::pad); }, {"10", "contig"});
  test::expect_error<InvalidArgument>([] { place_window(10, -1, 5, Edge::pad); }, {"-1"});
  test::expect_error<InvalidArgument>([] { place_window(10, 1, 0, Edge::pad); }, {"window"});
}

}  // namespace
}  // namespace ssmgen::genome
