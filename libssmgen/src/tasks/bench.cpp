#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <random>
#include <ssmgen/bench.hpp>
#include <ssmgen/errors.hpp>
#include <sys/resource.h>
#include <vector>

#include "io/hts_threads.hpp"
#include "io/vcf_reader.hpp"
#include "io/vcf_writer.hpp"
#include "tasks/model_impl.hpp"

namespace ssmgen {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

// Matrix products of one base: the projections of each block and strand, shared where the weights
// are, and the scans' exponentials (Mamba) or multiply-adds (S4). The head reads few positions or
// costs little.
struct BaseCost {
  double product_flop = 0;
  double exponentials = 0;
  double multiply_adds = 0;
};

BaseCost cost_of(const models::MambaStack& stack) {
  const layers::MambaSizes& sizes = stack.shape.sizes;
  const auto d_model = static_cast<double>(sizes.d_model);
  const auto d_inner = static_cast<double>(sizes.d_inner);
  const auto rank = static_cast<double>(sizes.dt_rank);
  const auto states = static_cast<double>(sizes.d_state);
  BaseCost cost;
  for (const layers::BiMambaBlock& block : stack.blocks) {
    const double sweeps = block.is_bidirectional() ? 2 : 1;
    const double in_projections = block.shares_in_proj() ? 1 : 2;
    const double out_projections = block.is_bidirectional() && !block.sums_sweeps() ? 2 : 1;
    cost.product_flop += 2 * d_model * 2 * d_inner * in_projections;
    cost.product_flop += 2 * d_inner * d_model * out_projections;
    cost.product_flop += 2 * d_inner * (2 * rank + 2 * states) * sweeps;
    cost.exponentials += d_inner * states * sweeps;
  }
  cost.product_flop *= stack.shape.strands;
  cost.exponentials *= stack.shape.strands;
  return cost;
}

// A complex state takes its input and gives its output with two multiply-adds each; what it costs
// to carry it from group to group can be made as small as one likes.
BaseCost cost_of(const models::S4Stack& stack) {
  const auto channels = static_cast<double>(stack.config.d_model);
  const auto layers = static_cast<double>(stack.config.n_layer);
  const auto states = static_cast<double>(stack.config.d_state) / 2;
  BaseCost cost;
  cost.product_flop = layers * 2 * channels * 2 * channels;
  cost.multiply_adds = layers * channels * states * 4 * (stack.config.bidirectional ? 2 : 1);
  return cost;
}

}  // namespace

BenchResult bench_model(const Model& model, const BenchOptions& options) {
  if (options.length < 1 || options.windows < 1 || options.repeats < 1) {
    throw InvalidArgument(
        fmt::format("length, windows and repeats must be above 0, not {}, {} and {}",
                    options.length, options.windows, options.repeats));
  }
  const Model::Impl& impl = model.impl();
  const std::int64_t bases = options.length * options.windows;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(bases));
  std::mt19937_64 generator(1);
  std::uniform_int_distribution<std::size_t> base(0, 3);
  for (std::int32_t& id : ids) id = impl.dna().base_ids[base(generator)];

  std::vector<stream::RowRead> reads;
  for (std::int64_t window = 0; window < options.windows; ++window) {
    if (options.read == BenchRead::center) reads.push_back({window, (options.length - 1) / 2});
    if (options.read != BenchRead::all) continue;
    for (std::int64_t i = 0; i < options.length; ++i) reads.push_back({window, i});
  }
  std::vector<float> log_probabilities(reads.size() * 4);
  stream::RunOutputs outputs;
  outputs.reads = reads;
  outputs.base_log_probabilities = log_probabilities.data();
  outputs.base_ids = impl.dna().base_ids;

  BenchResult result;
  const kernels::DeviceRates rates = impl.backend->measure_rates(model.options().dtype);
  result.product_rate = rates.product_flop_per_second;
  result.exponential_rate = rates.exponentials_per_second;
  result.multiply_add_rate = rates.multiply_adds_per_second;

  const std::unique_ptr<stream::Runner> runner = impl.runner();
  std::vector<double> seconds;
  for (int repeat = 0; repeat <= options.repeats; ++repeat) {
    const auto start = Clock::now();
    runner->run(ids, options.windows, options.length, outputs);
    impl.context->synchronize();
    if (repeat > 0) seconds.push_back(seconds_since(start));
  }
  std::sort(seconds.begin(), seconds.end());
  result.seconds = seconds.front();
  result.median_seconds = seconds[seconds.size() / 2];
  result.bases_per_second = static_cast<double>(bases) / result.seconds;
  result.windows_per_second = static_cast<double>(options.windows) / result.seconds;
  result.peak_memory_bytes = peak_memory_bytes();
  result.device_peak_bytes = impl.backend->device_peak_bytes();
  const BaseCost cost = std::visit([](const auto& stack) { return cost_of(stack); }, *impl.network);
  result.product_flop = cost.product_flop * static_cast<double>(bases);
  result.exponentials = cost.exponentials * static_cast<double>(bases);
  result.multiply_adds = cost.multiply_adds * static_cast<double>(bases);
  result.floor_seconds = result.product_flop / result.product_rate +
                         result.exponentials / result.exponential_rate +
                         result.multiply_adds / result.multiply_add_rate;
  return result;
}

VcfBenchResult bench_vcf(const std::string& input, const std::string& output, int io_threads) {
  const io::HtsThreads threads(io_threads);
  io::VcfReaderOptions reader_options;
  reader_options.path = input;
  reader_options.threads = &threads;
  const auto start = Clock::now();
  io::VcfReader reader(reader_options);
  io::VcfWriterOptions writer_options;
  writer_options.path = output;
  writer_options.format = io::choose_vcf_format("", output);
  writer_options.threads = &threads;
  io::VcfWriter writer(writer_options, reader);
  io::VcfRecord record;
  while (reader.read(record)) writer.write(record, {});
  writer.close();
  VcfBenchResult result;
  result.records = writer.records_written();
  result.seconds = seconds_since(start);
  result.records_per_second = static_cast<double>(result.records) / result.seconds;
  return result;
}

}  // namespace ssmgen
