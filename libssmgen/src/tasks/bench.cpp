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
#include "tasks/model_cost.hpp"
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
  if (options.read == BenchRead::center) {
    for (std::int64_t window = 0; window < options.windows; ++window) {
      reads.push_back({window, (options.length - 1) / 2});
    }
  }
  std::vector<float> log_probabilities(reads.size() * 4);
  stream::RunOutputs outputs;
  outputs.reads = reads;
  outputs.base_log_probabilities = log_probabilities.data();
  outputs.base_ids = impl.dna().base_ids;
  if (options.read == BenchRead::all) {
    outputs.on_base_log_probabilities = [](std::int64_t, std::span<const float>) {};
  }

  BenchResult result;
  const kernels::DeviceRates rates = impl.backend->measure_rates(model.options().dtype);
  result.product_rate = rates.product_flop_per_second;
  result.exponential_rate = rates.exponentials_per_second;
  result.multiply_add_rate = rates.multiply_adds_per_second;

  const std::unique_ptr<stream::Runner> runner = impl.runner();
  std::vector<double> seconds;
  for (int repeat = options.warms_up ? 0 : 1; repeat <= options.repeats; ++repeat) {
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
  const tasks::BaseCost cost = tasks::base_cost(*impl.network);
  result.product_flop = cost.product_flop * static_cast<double>(bases);
  result.exponentials = cost.exponentials * static_cast<double>(bases);
  result.multiply_adds = cost.multiply_adds * static_cast<double>(bases);
  result.floor_seconds = tasks::floor_seconds(cost, rates) * static_cast<double>(bases);
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
