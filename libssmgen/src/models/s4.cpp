#include "models/s4.hpp"

#include <cmath>
#include <fmt/format.h>
#include <utility>

#include "layers/s4_dplr.hpp"
#include "layers/selective_sweep.hpp"

namespace ssmgen::models {
namespace {

using Complex = layers::S4Parameters::Complex;

// Complex arrays are stored as (..., 2): real and imaginary.
std::vector<Complex> read_complex(WeightSource& source, const std::string& name, std::int64_t first,
                                  std::int64_t channels, std::int64_t states) {
  const std::vector<float> pairs = source.f32(name, {first, channels, states, 2});
  std::vector<Complex> values(pairs.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = {static_cast<double>(pairs[2 * i]), static_cast<double>(pairs[2 * i + 1])};
  }
  return values;
}

layers::S4Parameters read_model(WeightSource& source, const S4Config& config,
                                const std::string& prefix) {
  const std::int64_t channels = config.d_model;
  const std::int64_t states = config.d_state / 2;
  layers::S4Parameters s4;
  s4.channels = channels;
  s4.states = states;
  s4.rank = config.rank;
  s4.directions = config.bidirectional ? 2 : 1;
  s4.discretization = config.discretization;
  const std::string kernel = prefix + "kernel.";
  for (const float value : source.f32(kernel + "inv_dt", {channels, 1})) {
    s4.dt.push_back(std::exp(static_cast<double>(value)));
  }
  const std::vector<float> real = source.f32(kernel + "A_real", {channels, states});
  const std::vector<float> imaginary = source.f32(kernel + "A_imag", {channels, states});
  for (std::size_t i = 0; i < real.size(); ++i) {
    s4.a.emplace_back(-std::exp(static_cast<double>(real[i])), -static_cast<double>(imaginary[i]));
  }
  s4.b = read_complex(source, kernel + "B", 1, channels, states);
  s4.c = read_complex(source, kernel + "C", s4.directions, channels, states);
  const std::vector<float> d = source.f32(prefix + "D", {1, channels});
  s4.d.assign(d.begin(), d.end());
  if (config.rank > 0) {
    s4.p = read_complex(source, kernel + "P", config.rank, channels, states);
    s4.kernel_length = source.length(kernel + "l_kernel");
    return layers::with_recovered_c(std::move(s4));
  }
  return s4;
}

layers::NormWeights read_layer_norm(WeightSource& source, const std::string& prefix,
                                    const S4Config& config) {
  layers::NormWeights norm;
  norm.kind = ops::NormKind::layer;
  norm.epsilon = static_cast<float>(config.norm_epsilon);
  norm.weight = source.f32(prefix + "weight", {config.d_model});
  norm.bias = source.f32(prefix + "bias", {config.d_model});
  return norm;
}

layers::S4BlockWeights read_block(WeightSource& source, const S4Config& config,
                                  const std::string& prefix) {
  layers::S4BlockWeights weights;
  weights.model = read_model(source, config, prefix + "layer.");
  weights.output =
      source.f32(prefix + "output_linear.0.weight", {2 * config.d_model, config.d_model});
  weights.output_bias = source.f32(prefix + "output_linear.0.bias", {2 * config.d_model});
  return weights;
}

}  // namespace

S4Weights read_s4(const S4Config& config, WeightSource& source) {
  S4Weights weights;
  if (config.is_block()) {
    weights.blocks.push_back(read_block(source, config, ""));
    return weights;
  }
  const std::vector<std::int64_t> table{config.vocab_size, config.d_model};
  weights.embedding = source.f32("encoder.weight", table);
  for (std::int64_t layer = 0; layer < config.n_layer; ++layer) {
    weights.blocks.push_back(read_block(source, config, fmt::format("s4_layers.{}.", layer)));
    weights.blocks.back().norm = read_layer_norm(source, fmt::format("norms.{}.", layer), config);
  }
  weights.head = source.f32("decoder.weight", table);
  weights.head_bias = source.f32("decoder.bias", {config.vocab_size});
  return weights;
}

S4Stack build_s4(kernels::Backend& backend, const S4Config& config, WeightSource& source,
                 Dtype dtype) {
  const S4Weights weights = read_s4(config, source);
  S4Stack stack;
  stack.config = config;
  stack.dtype = dtype;
  for (const layers::S4BlockWeights& block : weights.blocks) {
    stack.blocks.emplace_back(backend, dtype, block);
  }
  if (config.is_block()) return stack;
  stack.embedding =
      core::upload(backend, weights.embedding, dtype, {config.vocab_size, config.d_model});
  stack.head = layers::prepare_product(backend, stack.stream_dtype(), Dtype::f32, config.vocab_size,
                                       config.d_model, weights.head, weights.head_bias);
  return stack;
}

}  // namespace ssmgen::models
