#include <gtest/gtest.h>

#include "tasks/embed_settings.hpp"
#include "tests/support/expect_error.hpp"

namespace ssmgen::tasks {
namespace {

ModelInfo model_info() {
  ModelInfo model;
  model.name = "m";
  model.n_layer = 4;
  model.d_model = 32;
  model.is_dna = true;
  model.is_reverse_complement_equivariant = true;
  return model;
}

ResolvedEmbed resolve(const EmbedSettings& settings, const ModelInfo& model = model_info()) {
  return resolve_embed_settings(model, settings, 1024);
}

TEST(EmbedSettings, ReadsBackWhatItWrites) {
  for (const char* text : {"none", "mean", "max", "center:64"}) {
    EXPECT_EQ(embed_pooling_name(parse_embed_pooling(text)), text);
  }
  for (const char* text : {"auto", "plus", "minus", "mean", "concat"}) {
    EXPECT_EQ(embed_strand_name(parse_embed_strand(text)), text);
  }
  for (const char* text : {"entropy", "logp", "channel:0", "channel:31"}) {
    TrackOptions options;
    parse_track_score(text, options);
    EXPECT_EQ(track_score_name(options), text);
  }
  for (const char* text : {"", "center", "center:0", "center:-1", "center:5x", "median"}) {
    EXPECT_THROW(parse_embed_pooling(text), InvalidArgument) << text;
  }
  EXPECT_THROW(parse_embed_strand("both"), InvalidArgument);
  TrackOptions options;
  for (const char* text : {"channel:-1", "channel", "channel:", "loss"}) {
    EXPECT_THROW(parse_track_score(text, options), InvalidArgument) << text;
  }
}

TEST(EmbedSettings, CountsLayersAsTheReferenceDoes) {
  EmbedSettings settings;
  EXPECT_EQ(resolve(settings).layers, (std::vector<std::int64_t>{4}));
  settings.layer = "0";
  EXPECT_EQ(resolve(settings).layers, (std::vector<std::int64_t>{0}));
  EXPECT_FALSE(resolve(settings).has_layer_dimension);
  settings.layer = "all";
  EXPECT_EQ(resolve(settings).layers, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(resolve(settings).has_layer_dimension);
  for (const char* layer : {"5", "-1", "first", ""}) {
    settings.layer = layer;
    test::expect_error<InvalidArgument>([&] { resolve(settings); }, {"layer", "0 to 4"});
  }
}

TEST(EmbedSettings, ChoosesStrandAndChannelsByTheModel) {
  ModelInfo one_way = model_info();
  one_way.is_reverse_complement_equivariant = false;
  EmbedSettings settings;
  EXPECT_EQ(resolve(settings).strand, EmbedStrand::mean);
  EXPECT_EQ(resolve(settings, one_way).strand, EmbedStrand::plus);
  settings.strand = EmbedStrand::concat;
  EXPECT_EQ(resolve(settings).channels, 64);
  EXPECT_EQ(resolve(settings).strand_channels, 32);
}

TEST(EmbedSettings, ChoosesWindowsByTheModel) {
  ModelInfo model = model_info();
  EmbedSettings settings;
  EXPECT_EQ(resolve(settings, model).window_bases, 8192);
  EXPECT_EQ(resolve(settings, model).stride_bases, 4096);
  model.max_length = 1000;
  EXPECT_EQ(resolve(settings, model).window_bases, 1000);
  model.max_length = 131072;
  EXPECT_EQ(resolve(settings, model).window_bases, 8192);
  settings.whole = true;
  EXPECT_EQ(resolve(settings, model).window_bases, 0);
}

TEST(EmbedSettings, RefusesWhatDoesNotGoTogether) {
  const auto refuse = [](auto change, std::string_view says) {
    EmbedSettings settings;
    change(settings);
    test::expect_error<InvalidArgument>([&] { resolve(settings); }, {says});
  };
  refuse([](EmbedSettings& s) { s.whole = true, s.window_bases = 5; }, "--whole");
  refuse([](EmbedSettings& s) { s.stride_bases = 9000; }, "stride");
  refuse([](EmbedSettings& s) { s.stride_bases = -1; }, "stride");
  refuse([](EmbedSettings& s) { s.window_bases = -1; }, "window");
  refuse([](EmbedSettings& s) { s.skip_n = true; }, "--skip-n");
  refuse([](EmbedSettings& s) { s.per_window = true; }, "--per-window");
  refuse([](EmbedSettings& s) { s.batch_windows = -1; }, "batch");
  ModelInfo text = model_info();
  text.is_dna = false;
  text.vocabulary_note = "its tokens are words";
  test::expect_error<InvalidArgument>([&] { resolve({}, text); }, {"its tokens are words"});
}

}  // namespace
}  // namespace ssmgen::tasks
