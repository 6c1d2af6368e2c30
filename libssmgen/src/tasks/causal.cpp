#include <cstring>
#include <fmt/format.h>
#include <span>
#include <ssmgen/causal.hpp>
#include <ssmgen/errors.hpp>
#include <type_traits>
#include <vector>

#include "base/sha256.hpp"
#include "kernels/common.hpp"
#include "stream/causal_stream.hpp"
#include "tasks/forward_outputs.hpp"
#include "tasks/model_impl.hpp"

namespace ssmgen {
namespace {

static_assert(CausalRunner::border_bases == kernels::tile_length);

// A saved state: mark, version, model, dtype, position, values, and the digest of all that.
constexpr std::string_view mark = "ssmgen causal state\n";
constexpr std::uint32_t version = 1;
constexpr std::size_t digest_letters = 64;

std::string digest_of(std::string_view text) {
  return base::sha256_hex(std::as_bytes(std::span(text)));
}

std::string digest_of(const Model& model) {
  const ModelInfo& info = model.info();
  const Model::Impl& impl = model.impl();
  return digest_of(fmt::format("{} {} {} {} {} {} {} {} {}", info.model_type, info.d_model,
                               info.n_layer, info.d_inner, info.d_state, info.d_conv, info.dt_rank,
                               info.vocabulary,
                               impl.checkpoint ? model.weights_sha256() : impl.random_config));
}

template <class T>
void append(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > bytes_.size()) throw FormatError("a causal state ends early: it was cut");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  template <class T>
  T take() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::size_t left() const noexcept { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

}  // namespace

struct CausalRunner::Impl {
  explicit Impl(const Model& of)
      : model(of), stream(stream::make_causal_stream(*of.impl().network, *of.impl().context)) {}

  void load(std::string_view bytes);

  const Model& model;
  std::unique_ptr<stream::CausalStream> stream;
  std::int64_t position = 0;
};

CausalRunner::CausalRunner(const Model& model) : impl_(std::make_unique<Impl>(model)) {}
CausalRunner::CausalRunner(const Model& model, std::string_view state) : CausalRunner(model) {
  impl_->load(state);
}
CausalRunner::~CausalRunner() = default;
CausalRunner::CausalRunner(CausalRunner&&) noexcept = default;
CausalRunner& CausalRunner::operator=(CausalRunner&&) noexcept = default;

std::int64_t CausalRunner::position() const noexcept {
  return impl_->position;
}

ForwardResult CausalRunner::feed(std::span<const std::int32_t> ids, const ForwardRequest& request) {
  if (impl_->position % border_bases != 0) {
    throw InvalidArgument(
        fmt::format("the piece before ended at {}, which is no multiple of {}: it was the last",
                    impl_->position, border_bases));
  }
  const std::int64_t length = std::ssize(ids);
  tasks::ForwardOutputs outputs(impl_->model.info(), 1, length, request);
  impl_->stream->feed(ids, outputs.outputs());
  impl_->position += length;
  return outputs.take();
}

ForwardResult CausalRunner::feed(const std::string& bases, const ForwardRequest& request) {
  return feed(impl_->model.encode(bases), request);
}

std::string CausalRunner::save() const {
  if (impl_->position % border_bases != 0) {
    throw InvalidArgument(fmt::format("a state is saved at a multiple of {} bases, not at {}",
                                      border_bases, impl_->position));
  }
  std::string bytes(mark);
  append(bytes, version);
  bytes += digest_of(impl_->model);
  append(bytes, static_cast<std::uint32_t>(impl_->model.options().dtype));
  append(bytes, impl_->position);
  if (impl_->position > 0) {
    const core::Context& context = *impl_->model.impl().context;
    std::vector<float> values;
    for (const core::TensorView& state : impl_->stream->states()) {
      values.resize(static_cast<std::size_t>(state.shape().count()));
      core::download(context.backend(), context.stream(), state, values);
      bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
  }
  return bytes + digest_of(bytes);
}

void CausalRunner::Impl::load(std::string_view bytes) {
  StateReader reader(bytes);
  if (bytes.size() < mark.size() || reader.take(mark.size()) != mark) {
    throw FormatError("these bytes are no causal state of ssmgen");
  }
  if (const auto found = reader.take<std::uint32_t>(); found != version) {
    throw FormatError(fmt::format(
        "a causal state of version {} was given; this ssmgen reads version {}", found, version));
  }
  if (reader.take(digest_letters) != digest_of(model)) {
    throw FormatError(
        fmt::format("a causal state of another model was given, not one of {}", model.info().name));
  }
  const auto dtype = reader.take<std::uint32_t>();
  if (dtype != static_cast<std::uint32_t>(model.options().dtype)) {
    throw FormatError(fmt::format("a causal state of another dtype was given, not of {}",
                                  dtype_name(model.options().dtype)));
  }
  const auto at = reader.take<std::int64_t>();
  const std::vector<core::TensorView> states =
      at > 0 ? stream->states() : std::vector<core::TensorView>();
  std::size_t expected = digest_letters;
  for (const core::TensorView& state : states) expected += static_cast<std::size_t>(state.bytes());
  if (reader.left() != expected) {
    throw FormatError(fmt::format("a causal state holds {} bytes after its head where {} belong",
                                  reader.left(), expected));
  }
  if (digest_of(bytes.substr(0, bytes.size() - digest_letters)) !=
      bytes.substr(bytes.size() - digest_letters)) {
    throw FormatError("a causal state is damaged: its digest is not that of its bytes");
  }
  const core::Context& context = *model.impl().context;
  for (const core::TensorView& state : states) {
    const std::string_view values = reader.take(static_cast<std::size_t>(state.bytes()));
    context.backend().copy_from_host(context.stream(), state.data(), values.data(), state.bytes());
  }
  context.synchronize();
  stream->begin_at(at);
  position = at;
}

}  // namespace ssmgen
