#include <fmt/format.h>
#include <ssmgen/errors.hpp>
#include <ssmgen/model.hpp>
#include <utility>
#include <variant>

#include "base/json.hpp"
#include "core/backend_loader.hpp"
#include "models/checkpoint_source.hpp"
#include "models/model_config.hpp"
#include "models/random_source.hpp"
#include "models/registry.hpp"
#include "models/tokenizer.hpp"
#include "stream/s4_runner.hpp"
#include "tasks/device_array.hpp"
#include "tasks/forward_outputs.hpp"
#include "tasks/model_cost.hpp"
#include "tasks/model_impl.hpp"

namespace ssmgen {
namespace {

void describe_shape(const models::MambaStackShape& shape, ModelInfo& info) {
  info.d_model = shape.sizes.d_model;
  info.n_layer = shape.n_layer;
  info.d_inner = shape.sizes.d_inner;
  info.d_state = shape.sizes.d_state;
  info.d_conv = shape.sizes.d_conv;
  info.dt_rank = shape.sizes.dt_rank;
  info.vocabulary = shape.vocabulary;
  info.hidden_width = shape.hidden_width();
  info.is_bidirectional = shape.bidirectional;
  info.is_causal = shape.is_causal();
  info.is_reverse_complement_equivariant = shape.strands == 2;
}

void describe_shape(const models::S4Config& config, ModelInfo& info) {
  info.d_model = config.d_model;
  info.n_layer = config.n_layer;
  info.d_inner = config.d_model;
  info.d_state = config.d_state;
  info.vocabulary = config.vocab_size;
  info.hidden_width = config.d_model;
  info.is_bidirectional = config.bidirectional;
  info.is_causal = !config.bidirectional;
}

void describe_shape(const models::Network& network, ModelInfo& info) {
  if (const auto* s4 = std::get_if<models::S4Stack>(&network)) {
    describe_shape(s4->config, info);
  } else {
    describe_shape(std::get<models::MambaStack>(network).shape, info);
  }
}

void describe_checkpoint(const models::Checkpoint& checkpoint, ModelInfo& info) {
  info.name = checkpoint.model_name();
  info.directory = checkpoint.directory().string();
  info.parameters = checkpoint.parameter_count();
  info.weights_bytes = checkpoint.weights_bytes();
  info.stored_dtypes = checkpoint.parameter_dtypes();
  for (const models::TiedTensor& tied : checkpoint.tied()) {
    info.tied.emplace_back(tied.name, tied.stored_as);
  }
  info.missing = checkpoint.missing();
  info.unused = checkpoint.unused();
}

void describe_vocabulary(const models::ModelVocabulary& vocabulary, ModelInfo& info) {
  info.is_dna = vocabulary.is_dna;
  info.has_mask_token = vocabulary.has_mask();
  info.vocabulary_note = vocabulary.note;
  info.max_length = vocabulary.max_length;
  info.warnings.insert(info.warnings.end(), vocabulary.warnings.begin(), vocabulary.warnings.end());
}

// Reads a directory into `impl`, network and all.
void open_checkpoint(const std::string& directory, bool collect_missing, Model::Impl& impl) {
  impl.checkpoint = models::Checkpoint::open(directory);
  models::Checkpoint& checkpoint = *impl.checkpoint;
  checkpoint.collect_missing(collect_missing);
  const models::ModelConfig config = models::parse_model_config(checkpoint.config());
  models::CheckpointSource source(checkpoint);
  impl.network = std::make_unique<models::Network>(
      models::build_network(*impl.backend, config, source, impl.options.dtype));
  const models::ModelVocabulary vocabulary =
      models::read_vocabulary(checkpoint.directory(), config);
  if (vocabulary.is_dna) impl.vocabulary = vocabulary.dna;
  impl.info.model_type = config.model_type;
  impl.info.warnings = config.warnings;
  describe_shape(*impl.network, impl.info);
  describe_checkpoint(checkpoint, impl.info);
  describe_vocabulary(vocabulary, impl.info);
}

}  // namespace

const genome::DnaVocabulary& Model::Impl::dna() const {
  if (!vocabulary) {
    throw InvalidArgument(
        fmt::format("{} has no tokens for DNA: {}", info.name, info.vocabulary_note));
  }
  return *vocabulary;
}

stream::RunnerOptions Model::Impl::runner_options() const {
  stream::RunnerOptions runner;
  runner.chunk_bases = options.chunk_bases;
  runner.max_memory_bytes = options.max_memory_bytes;
  runner.device_memory_bytes = options.device_memory_bytes;
  runner.scratch = options.scratch;
  return runner;
}

std::unique_ptr<stream::Runner> Model::Impl::runner() const {
  return stream::make_runner(*network, *context, runner_options());
}

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

Model Model::load(const std::string& directory, const ModelOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->backend = core::open_backend(options.device, options.threads);
  open_checkpoint(directory, false, *impl);
  impl->context = std::make_unique<core::Context>(*impl->backend);
  if (options.dtype == Dtype::bf16 && !impl->backend->native_bf16_products()) {
    impl->info.warnings.emplace_back(
        "this processor does not multiply bf16: activations are stored as bf16 and products are "
        "formed in f32");
  }
  return Model(std::move(impl));
}

Model Model::random(const std::string& config_json, const ModelOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->backend = core::open_backend(options.device, options.threads);
  const models::ModelConfig config =
      models::parse_model_config(base::JsonValue::parse(config_json, "the given model shape"));
  const auto* s4 = std::get_if<models::S4Config>(&config.model);
  models::RandomSource source(0, s4 != nullptr ? s4->start : layers::HippoMeasure::legs);
  impl->network = std::make_unique<models::Network>(
      models::build_network(*impl->backend, config, source, options.dtype));
  impl->vocabulary = genome::default_dna_vocabulary();
  impl->context = std::make_unique<core::Context>(*impl->backend);
  impl->random_config = config_json;
  impl->info.name = "random weights";
  impl->info.model_type = config.model_type;
  impl->info.warnings = config.warnings;
  impl->info.parameters = source.parameter_count();
  impl->info.is_dna = true;
  impl->info.has_mask_token = true;
  describe_shape(*impl->network, impl->info);
  return Model(std::move(impl));
}

const ModelInfo& Model::info() const {
  return impl_->info;
}
const ModelOptions& Model::options() const {
  return impl_->options;
}
std::string Model::device_description() const {
  return impl_->backend->description();
}

int Model::threads() const {
  return impl_->backend->threads();
}

const std::string& Model::weights_sha256() const {
  if (!impl_->checkpoint) throw InvalidArgument("random weights have no file to hash");
  return impl_->checkpoint->weights_sha256();
}

std::vector<std::int32_t> Model::encode(const std::string& sequence) const {
  std::vector<std::int32_t> ids(sequence.size());
  genome::encode(sequence, impl_->dna(), ids);
  return ids;
}

ForwardResult Model::forward(std::span<const std::int32_t> ids, std::int64_t batch,
                             std::int64_t length, const ForwardRequest& request) const {
  tasks::ForwardOutputs outputs(impl_->info, batch, length, request);
  impl_->runner()->run(ids, batch, length, outputs.outputs());
  return outputs.take();
}

DeviceForwardResult Model::forward_on_device(std::span<const std::int32_t> ids, std::int64_t batch,
                                             std::int64_t length,
                                             const ForwardRequest& request) const {
  if (request.block_inputs) {
    throw InvalidArgument("block inputs do not stay on the device: ask forward() for them");
  }
  tasks::check_forward_sizes(batch, length);
  DeviceForwardResult result;
  stream::RunOutputs outputs;
  if (request.logits) {
    result.logits = tasks::make_device_array(*impl_, {batch, length, impl_->info.vocabulary});
    outputs.device_logits = result.logits.data();
  }
  if (request.last_hidden_state) {
    result.last_hidden_state =
        tasks::make_device_array(*impl_, {batch, length, impl_->info.hidden_width});
    outputs.device_last_hidden_state = result.last_hidden_state.data();
  }
  impl_->runner()->run(ids, batch, length, outputs);
  impl_->context->synchronize();
  return result;
}

void Model::copy_from_device(void* to, const void* from, std::int64_t bytes) const {
  kernels::Backend& backend = *impl_->backend;
  backend.synchronize_device();
  backend.copy_to_host(impl_->context->stream(), to, from, bytes);
  impl_->context->synchronize();
}

std::vector<float> Model::forward_channels(std::span<const float> channels, std::int64_t batch,
                                           std::int64_t length) const {
  const auto* stack = std::get_if<models::S4Stack>(impl_->network.get());
  if (stack == nullptr || !stack->config.is_block()) {
    throw InvalidArgument(
        fmt::format("{} runs on token ids: only a single block (s4_block) runs on "
                    "given channels",
                    impl_->info.name));
  }
  std::vector<float> out(channels.size());
  stream::S4Runner(*stack, *impl_->context, impl_->runner_options())
      .run_block(channels, batch, length, out);
  return out;
}

PassPlan Model::plan(std::int64_t length, bool predicts_all, bool estimates_time) const {
  if (length < 1) throw InvalidArgument(fmt::format("length must be above 0, not {}", length));
  const stream::RunPlan plan = impl_->runner()->plan(length, predicts_all ? length : 1);
  PassPlan pass;
  pass.mode = stream::run_mode_name(plan.mode);
  if (plan.mode == stream::RunMode::folded) pass.stream_place = stream::place_name(plan.stream);
  pass.length = length;
  pass.chunk_bases = plan.chunk_bases;
  pass.device_is_host = impl_->backend->device_memory().total_bytes == 0;
  pass.device_bytes = plan.device_bytes;
  pass.host_bytes = plan.host_bytes;
  pass.scratch_bytes = plan.scratch_bytes;
  if (estimates_time) {
    const kernels::DeviceRates rates = impl_->backend->measure_rates(impl_->options.dtype);
    pass.seconds =
        tasks::estimated_seconds(*impl_->network, rates, plan, static_cast<double>(length));
  }
  return pass;
}

ModelInfo describe_model(const std::string& directory) {
  Model::Impl impl;
  impl.backend = core::open_backend({}, 1);
  open_checkpoint(directory, true, impl);
  return impl.info;
}

}  // namespace ssmgen
