#include <algorithm>
#include <chrono>
#include <ssmgen/embed.hpp>

#include "tasks/embed_run.hpp"
#include "tasks/model_impl.hpp"

namespace ssmgen {
namespace tasks {
namespace {

// Rows into memory.
class MemoryArray : public io::ArrayWriter {
 public:
  explicit MemoryArray(EmbedArray& array) : array_(array) {}

  void write(std::int64_t layer, std::int64_t first_row, std::int64_t count,
             const float* values) override {
    std::copy(values, values + count * array_.channels,
              array_.values.begin() + (layer * array_.rows + first_row) * array_.channels);
  }
  void finish(std::int64_t /*rows*/) override {}
  void commit() override {}

 private:
  EmbedArray& array_;
};

}  // namespace
}  // namespace tasks

EmbedArray embed_sequences(const Model& model, std::span<const std::string> sequences,
                           const EmbedSettings& settings,
                           const EmbedProgressCallback& on_progress) {
  const auto start = std::chrono::steady_clock::now();
  const Model::Impl& impl = model.impl();
  const tasks::ResolvedEmbed resolved =
      tasks::resolve_embed_settings(model.info(), settings, impl.backend->preferred_rows());
  EmbedArray array;
  array.layers = static_cast<std::int64_t>(resolved.layers.size());
  array.channels = resolved.channels;
  for (const std::string& sequence : sequences) {
    array.first_rows.push_back(array.rows);
    const tasks::EmbedUnits units(resolved, static_cast<std::int64_t>(sequence.size()));
    for (std::int64_t i = 0; i < units.count(); ++i) {
      array.rows += tasks::EmbedUnits::rows(resolved, units.end(i) - units.begin(i));
    }
  }
  array.first_rows.push_back(array.rows);
  array.values.resize(static_cast<std::size_t>(array.layers * array.rows * array.channels));
  tasks::MemoryArray out(array);
  EmbedProgress progress;
  progress.bases_total = 0;
  for (const std::string& sequence : sequences) {
    progress.bases_total += static_cast<std::int64_t>(sequence.size());
  }
  tasks::EmbedRun run(impl, resolved, out, [&](std::int64_t bases) {
    if (!on_progress) return;
    progress.bases = bases;
    progress.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    on_progress(progress);
  });
  for (std::size_t number = 0; number < sequences.size(); ++number) {
    progress.records = static_cast<std::int64_t>(number) + 1;
    const std::string_view letters = sequences[number];
    std::int64_t row = array.first_rows[number];
    const tasks::EmbedUnits units(resolved, static_cast<std::int64_t>(letters.size()));
    for (std::int64_t i = 0; i < units.count(); ++i) {
      const std::int64_t length = units.end(i) - units.begin(i);
      run.add(row, letters.substr(static_cast<std::size_t>(units.begin(i)),
                                  static_cast<std::size_t>(length)));
      row += tasks::EmbedUnits::rows(resolved, length);
    }
  }
  run.finish();
  return array;
}

}  // namespace ssmgen
