#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <numeric>
#include <ssmgen/errors.hpp>
#include <vector>

#include "core/backend_loader.hpp"
#include "stream/activation_store.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ssmgen::stream {
namespace {

using Access = ActivationStore::Access;
using kernels::Direction;

constexpr std::int64_t channels = 3;
// Chunks of several sizes, one of them empty.
const std::vector<std::int64_t> edges{0, 40, 80, 80, 120, 160, 163, 200, 240, 241};
const std::int64_t chunk_count = static_cast<std::int64_t>(edges.size()) - 1;

class StorePlaces : public testing::TestWithParam<std::tuple<StorePlace, Device>> {
 protected:
  void SetUp() override {
    SSMGEN_SKIP_WITHOUT(std::get<1>(GetParam()));
    backend = core::open_backend(std::get<1>(GetParam()), 1);
    context = std::make_unique<core::Context>(*backend);
    layout = {std::get<0>(GetParam()), core::ElementType::f32, channels, edges,
              folder.path().string()};
    store = std::make_unique<ActivationStore>(*backend, layout);
  }

  // Row r of all holds r + `added` in every channel.
  std::vector<float> expected(std::int64_t chunk, float added) const {
    std::vector<float> values;
    for (std::int64_t row = edges[static_cast<std::size_t>(chunk)];
         row < edges[static_cast<std::size_t>(chunk) + 1]; ++row) {
      values.insert(values.end(), channels, static_cast<float>(row) + added);
    }
    return values;
  }

  void put(const core::TensorView& rows, const std::vector<float>& values) const {
    backend->copy_from_host(context->stream(), rows.data(), values.data(), rows.bytes());
    context->synchronize();
  }

  // Visits chunks with `ahead` of them out at a time; `body` gets each before it is given back.
  template <class Body>
  void pass(Access access, Direction direction, const ChunkRange& chunks, std::int64_t ahead,
            Body&& body) const {
    store->begin_pass(access, direction, chunks);
    std::vector<core::TensorView> out;
    for (std::int64_t step = 0; step < chunks.length() + ahead - 1; ++step) {
      if (step < chunks.length()) out.push_back(store->fetch(*context));
      if (step + 1 < ahead) continue;
      const std::int64_t back = step + 1 - ahead;
      body(direction == Direction::left_to_right ? chunks.begin + back : chunks.end - 1 - back,
           out[static_cast<std::size_t>(back)]);
      store->give_back(*context);
    }
  }

  void expect_rows(const ChunkRange& chunks, Direction direction, std::int64_t ahead, float added) {
    pass(Access::read, direction, chunks, ahead,
         [&](std::int64_t chunk, const core::TensorView& rows) {
           std::vector<float> got(static_cast<std::size_t>(rows.shape().count()));
           core::download(*backend, context->stream(), rows, got);
           EXPECT_EQ(got, expected(chunk, added)) << "chunk " << chunk;
         });
  }

  const test::TemporaryFolder folder;
  std::shared_ptr<kernels::Backend> backend;
  std::unique_ptr<core::Context> context;
  StoreLayout layout;
  std::unique_ptr<ActivationStore> store;
};

TEST_P(StorePlaces, GivesBackTheRowsItWasGivenBothWays) {
  const ChunkRange all{0, chunk_count};
  pass(Access::write, Direction::left_to_right, all, 2,
       [&](std::int64_t chunk, const core::TensorView& rows) { put(rows, expected(chunk, 0)); });
  expect_rows(all, Direction::right_to_left, 1, 0);
  expect_rows(all, Direction::left_to_right, ActivationStore::slot_count, 0);
  expect_rows({2, 6}, Direction::right_to_left, 3, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_P(StorePlaces, KeepsWhatAnUpdateLeavesAndNothingElse) {
  const ChunkRange all{0, chunk_count};
  const auto fill = [&](float added) {
    return [this, added](std::int64_t chunk, const core::TensorView& rows) {
      put(rows, expected(chunk, added));
    };
  };
  pass(Access::write, Direction::right_to_left, all, 1, fill(0));
  for (const std::int64_t ahead : {1, 2, 4}) {
    const auto added = static_cast<float>(1000 * ahead);
    pass(Access::update, Direction::left_to_right, all, ahead,
         [&](std::int64_t chunk, const core::TensorView& rows) {
           std::vector<float> got(static_cast<std::size_t>(rows.shape().count()));
           core::download(*backend, context->stream(), rows, got);
           EXPECT_EQ(got, expected(chunk, ahead == 1 ? 0 : static_cast<float>(500 * ahead)));
           put(rows, expected(chunk, added));
         });
    expect_rows(all, Direction::right_to_left, ahead, added);
  }
  pass(Access::update, Direction::left_to_right, {3, 5}, 2, fill(7));
  expect_rows({3, 5}, Direction::left_to_right, 1, 7);
  expect_rows({5, chunk_count}, Direction::left_to_right, 1, 4000);
}

TEST_P(StorePlaces, RefusesToHandOutMoreThanItHas) {
  store->begin_pass(Access::write, Direction::left_to_right, {0, 1});
  store->fetch(*context);
  test::expect_error<InvalidArgument>([&] { store->fetch(*context); }, {"fetched"});
}

INSTANTIATE_TEST_SUITE_P(Places, StorePlaces,
                         testing::Combine(testing::Values(StorePlace::device, StorePlace::host,
                                                          StorePlace::scratch),
                                          testing::ValuesIn(test::devices())),
                         [](const auto& info_of) {
                           return std::string(place_name(std::get<0>(info_of.param))) + "_" +
                                  test::device_label(std::get<1>(info_of.param));
                         });

TEST(ActivationStore, TellsOfAFileThatFails) {
  const auto backend = core::open_backend({}, 1);
  const core::Context context(*backend);
  StoreLayout layout{StorePlace::scratch, core::ElementType::f32, channels, edges, "/nowhere"};
  test::expect_error<DeviceError>([&] { ActivationStore(*backend, layout); },
                                  {"/nowhere", "--scratch"});
  const test::TemporaryFolder folder;
  layout.scratch = folder.path().string();
  ActivationStore store(*backend, layout);
  // What was never written cannot be read.
  store.begin_pass(Access::read, Direction::left_to_right, {0, 1});
  test::expect_error<DeviceError>([&] { store.fetch(context); }, {"ends early"});
}

}  // namespace
}  // namespace ssmgen::stream
