#pragma once
// Timing of whole models, with the distance to what the hardware allows.

#include <cstdint>
#include <ssmgen/model.hpp>
#include <string>

namespace ssmgen {

/// What a model reads at the end of a timed pass.
enum class BenchRead : std::uint8_t {
  none,    ///< the blocks alone
  center,  ///< one position of each sequence, as masked scoring does
  all,     ///< the logits of every position
};

struct BenchOptions {
  std::int64_t length = 512;  ///< bases of a sequence
  std::int64_t windows = 1;   ///< sequences a pass
  int repeats = 3;            ///< timed passes, the fastest counts
  bool warms_up = true;       ///< false: the first pass counts too
  BenchRead read = BenchRead::center;
};

struct BenchResult {
  double seconds = 0;  ///< of the fastest pass
  double median_seconds = 0;
  double bases_per_second = 0;  ///< all sequences together
  double windows_per_second = 0;
  std::int64_t peak_memory_bytes = 0;  ///< of the process
  std::int64_t device_peak_bytes = 0;  ///< of a device with memory of its own, weights included
  double product_flop = 0;             ///< matrix products of a pass
  double exponentials = 0;             ///< of Mamba's scans
  double multiply_adds = 0;            ///< of S4's scans, at the least
  double product_rate = 0;             ///< FLOP/s measured for a large product on this machine
  double exponential_rate = 0;         ///< exp/s measured for a bare vector loop on this machine
  double multiply_add_rate = 0;        ///< f32 multiply-adds a second measured between registers
  /// product_flop / product_rate + exponentials / exponential_rate + multiply_adds /
  /// multiply_add_rate
  double floor_seconds = 0;
};

/// Random DNA through the model.
/// @throws InvalidArgument for sizes below 1.
BenchResult bench_model(const Model& model, const BenchOptions& options);

/// Reading and writing alone: every record of a VCF passed through, no model.
struct VcfBenchResult {
  std::int64_t records = 0;
  double seconds = 0;
  double records_per_second = 0;
};
VcfBenchResult bench_vcf(const std::string& input, const std::string& output, int io_threads);

}  // namespace ssmgen
