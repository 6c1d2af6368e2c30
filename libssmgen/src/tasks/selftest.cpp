#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <ssmgen/selftest.hpp>

#include "base/json.hpp"
#include "models/safetensors.hpp"

namespace ssmgen {
namespace {

// The reference's own f32 error against f64 is 2e-7 to 5e-7.
constexpr double f32_tolerance = 5e-6;
// That of S4 forms its kernels in f32 and is up to 4e-5 from f64.
constexpr double s4_f32_tolerance = 1e-4;
// What bf16 is allowed where the golden does not say how far the reference's own bf16 run was off.
constexpr double bf16_tolerance = 1e-2;

// A golden states how far the logits of the reference's bf16 run were off. Hidden states, which no
// head has averaged, are further off in either implementation, most where two directions that were
// each rounded to bf16 are multiplied.
constexpr double hidden_state_factor = 2;
constexpr double smallest_hidden_state_tolerance = 1e-2;

double tolerance_of(const std::filesystem::path& directory, Dtype dtype) {
  const base::JsonValue config = base::JsonValue::parse_file(directory / "config.json");
  if (dtype == Dtype::f32) {
    return config.text_or("model_type", "").starts_with("s4") ? s4_f32_tolerance : f32_tolerance;
  }
  const auto reference = config.find("reference_bf16_rel_error");
  return reference ? reference->number() : bf16_tolerance;
}

TensorCheck compare(const std::string& name, const std::vector<float>& found,
                    const std::vector<float>& expected, double tolerance) {
  TensorCheck check;
  check.name = name;
  check.tolerance = tolerance;
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = static_cast<double>(found[i]) - static_cast<double>(expected[i]);
    check.max_abs_error = std::max(check.max_abs_error, std::abs(error));
    difference += error * error;
    norm += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  check.relative_norm = norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
  check.passed = check.relative_norm <= tolerance;  // false for NaN
  return check;
}

// A single block runs on given channels and has no tokens.
std::vector<TensorCheck> selftest_of_block(const std::filesystem::path& directory,
                                           const models::SafetensorsFile& golden,
                                           const ModelOptions& options) {
  const models::TensorEntry& input = golden.at("input");
  const models::TensorEntry& output = golden.at("output");
  if (input.shape.size() != 3 || input.shape != output.shape) {
    throw FormatError(fmt::format(
        "{}: tensors input and output must have one shape [batch, length, channels], not {} and {}",
        golden.path().string(), models::shape_text(input.shape), models::shape_text(output.shape)));
  }
  const Model model = Model::load(directory.string(), options);
  const std::vector<float> found =
      model.forward_channels(golden.read_f32(input), input.shape[0], input.shape[1]);
  return {
      compare("output", found, golden.read_f32(output), tolerance_of(directory, options.dtype))};
}

}  // namespace

std::vector<TensorCheck> selftest(const std::string& directory, const ModelOptions& options) {
  const std::filesystem::path folder(directory);
  const models::SafetensorsFile golden =
      models::SafetensorsFile::open(folder / "expected.safetensors");
  if (golden.find("input") != nullptr) return selftest_of_block(folder, golden, options);
  const models::TensorEntry& input = golden.at("input_ids");
  if (input.shape.size() != 2 || input.shape[0] < 1 || input.shape[1] < 1) {
    throw FormatError(fmt::format("{}: tensor input_ids must have shape [batch, length], not {}",
                                  golden.path().string(), models::shape_text(input.shape)));
  }
  const std::vector<std::int64_t> wide_ids = golden.read_i64(input);
  const std::vector<std::int32_t> ids(wide_ids.begin(), wide_ids.end());

  const Model model = Model::load(directory, options);
  const std::string block_prefix = "hidden_states.";
  ForwardRequest request;
  request.logits = golden.find("logits") != nullptr;
  request.last_hidden_state = true;
  request.block_inputs = golden.find(block_prefix + "0") != nullptr;
  const ForwardResult result = model.forward(ids, input.shape[0], input.shape[1], request);

  const double tolerance = tolerance_of(folder, options.dtype);
  std::vector<TensorCheck> checks;
  const auto check = [&](const std::string& name, const std::vector<float>& found) {
    const models::TensorEntry* entry = golden.find(name);
    if (entry == nullptr) return;
    if (entry->elements() != static_cast<std::int64_t>(found.size())) {
      throw FormatError(fmt::format("{}: tensor {} has shape {}, the model gives {} values",
                                    golden.path().string(), name, models::shape_text(entry->shape),
                                    found.size()));
    }
    const bool is_wider = options.dtype == Dtype::bf16 && name != "logits";
    checks.push_back(compare(
        name, found, golden.read_f32(*entry),
        is_wider ? std::max(hidden_state_factor * tolerance, smallest_hidden_state_tolerance)
                 : tolerance));
  };
  for (std::size_t layer = 0; layer < result.block_inputs.size(); ++layer) {
    check(block_prefix + std::to_string(layer), result.block_inputs[layer]);
  }
  check(block_prefix + std::to_string(result.block_inputs.size()), result.last_hidden_state);
  check("last_hidden_state", result.last_hidden_state);
  if (request.logits) check("logits", result.logits);
  if (checks.empty()) {
    throw FormatError(
        fmt::format("{}: no tensor to compare: expected logits, last_hidden_state or "
                    "hidden_states.i",
                    golden.path().string()));
  }
  return checks;
}

}  // namespace ssmgen
