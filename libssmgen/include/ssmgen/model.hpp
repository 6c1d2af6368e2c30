#pragma once
// A genomic state space model, loaded from a checkpoint directory.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <ssmgen/device.hpp>
#include <ssmgen/device_array.hpp>
#include <ssmgen/dtype.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ssmgen {

/// How a model is put on a device.
struct ModelOptions {
  Device device;             ///< where it computes
  Dtype dtype = Dtype::f32;  ///< storage of activations and matrix weights
  int threads = 0;           ///< host threads that compute; 0 for one a core
  /// Sequences longer than this many bases are swept in chunks of it; 0 chooses. Results do not
  /// depend on it, memory does.
  std::int64_t chunk_bases = 0;
  /// Host memory that the process may take, in bytes, and device memory of its own; 0 for what is
  /// free. A long sequence is run in the fastest way that fits. Results depend on none of these.
  std::int64_t max_memory_bytes = 0;
  std::int64_t device_memory_bytes = 0;
  /// Folder for activations that fit neither; empty for none. The files in it have no name, so
  /// nothing is left of them however the process ends.
  std::string scratch;
};

/// How a sequence goes through a model, and what that takes beside the weights.
struct PassPlan {
  std::string mode;          ///< whole, kept, folded or chunks, as README.md explains
  std::string stream_place;  ///< of "folded": device, host or scratch; "device" is memory on a CPU
  std::int64_t length = 0;   ///< bases
  std::int64_t chunk_bases = 0;
  bool device_is_host = true;
  std::int64_t device_bytes = 0;   ///< memory of the device
  std::int64_t host_bytes = 0;     ///< memory of a device's host
  std::int64_t scratch_bytes = 0;  ///< of the scratch folder
  double seconds = 0;              ///< estimated; 0 when it was not asked for
};

/// What a checkpoint directory holds.
struct ModelInfo {
  std::string name;                ///< last part of the directory's name
  std::string directory;           ///< as given
  std::string model_type;          ///< caduceus, mamba, mamba_ssm, s4, s4_block
  std::int64_t d_model = 0;        ///< channels of the residual stream, of one strand
  std::int64_t n_layer = 0;        ///< blocks
  std::int64_t d_inner = 0;        ///< channels of the scan
  std::int64_t d_state = 0;        ///< states of a channel
  std::int64_t d_conv = 0;         ///< width of the causal convolution
  std::int64_t dt_rank = 0;        ///< inputs of dt_proj
  std::int64_t vocabulary = 0;     ///< tokens, padding included
  std::int64_t hidden_width = 0;   ///< channels of a hidden state, both strands
  std::int64_t parameters = 0;     ///< stored floating point values, tied ones once
  std::int64_t weights_bytes = 0;  ///< size of the weight files
  std::map<std::string, std::int64_t> stored_dtypes;  ///< values by stored type
  std::int64_t max_length = 0;  ///< model_max_length of the tokenizer; 0 when it gives none
  bool is_bidirectional = false;
  bool is_causal = false;  ///< a position's logits depend on the positions up to it alone
  bool is_reverse_complement_equivariant = false;
  bool is_dna = false;  ///< has tokens for A, C, G and T
  bool has_mask_token = false;
  std::string vocabulary_note;  ///< where the token ids come from, or why it is not DNA
  std::vector<std::pair<std::string, std::string>> tied;  ///< tensor, and the one that serves
  std::vector<std::string> missing;                       ///< tensors that are not there
  std::vector<std::string> unused;                        ///< tensors that nothing reads
  std::vector<std::string> warnings;                      ///< said of config and tokenizer
};

/// What forward() is to compute; all f32.
struct ForwardRequest {
  bool logits = true;  ///< (batch, length, vocabulary)
  bool last_hidden_state =
      false;  ///< (batch, length, hidden_width), after the final norm if there is one
  bool block_inputs = false;  ///< n_layer times (batch, length, hidden_width): of Mamba without the
                              ///< residual, of S4 with it
};

/// Dense row-major f32; empty where not asked for.
struct ForwardResult {
  std::vector<float> logits;
  std::vector<float> last_hidden_state;
  std::vector<std::vector<float>> block_inputs;
};

/// As ForwardResult, in memory of the model's device: (batch, length, vocabulary) and
/// (batch, length, hidden_width); empty where not asked for.
struct DeviceForwardResult {
  DeviceArray logits;
  DeviceArray last_hidden_state;
};

/// A loaded model. Immutable weights with one workspace: one call at a time.
class Model {
 public:
  /// Reads the directory and puts the weights on the device.
  /// @throws FormatError naming file and tensor, DeviceError naming device and bytes,
  ///   InvalidArgument for options.
  static Model load(const std::string& directory, const ModelOptions& options = {});

  /// A network of random weights for timing. `config_json` is the text of a config.json.
  /// @throws FormatError naming the key of the config.
  static Model random(const std::string& config_json, const ModelOptions& options = {});

  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  const ModelInfo& info() const;
  const ModelOptions& options() const;
  /// The back end in words, for example "cpu (AVX3, 2 threads)".
  std::string device_description() const;
  /// Host threads that compute, the default resolved.
  int threads() const;
  /// SHA-256 of the weight files, 64 hexadecimal digits; read at the first call.
  const std::string& weights_sha256() const;

  /// Token ids of a DNA sequence, any case; letters beyond A, C, G, T, N are "unknown".
  /// @throws InvalidArgument when the model has no DNA vocabulary.
  std::vector<std::int32_t> encode(const std::string& sequence) const;

  /// ids (batch, length), each in [0, vocabulary).
  /// @throws InvalidArgument for ids or sizes that do not fit, DeviceError when memory is short.
  ForwardResult forward(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                        const ForwardRequest& request = {}) const;

  /// The numbers of forward(), left where they were computed; `block_inputs` cannot be asked for.
  /// They are all there when this returns, for whichever stream reads them.
  /// @throws as forward().
  DeviceForwardResult forward_on_device(std::span<const std::int32_t> ids, std::int64_t batch,
                                        std::int64_t length,
                                        const ForwardRequest& request = {}) const;

  /// Copies bytes that lie on the device, after all that the device was given to do, by other
  /// libraries too. @throws DeviceError.
  void copy_from_device(void* to, const void* from, std::int64_t bytes) const;

  /// A single block (model_type s4_block) over `channels` (batch, length, d_model), f32; the result
  /// has the same shape.
  /// @throws InvalidArgument for another kind of model or sizes that do not fit, DeviceError when
  ///   memory is short.
  std::vector<float> forward_channels(std::span<const float> channels, std::int64_t batch,
                                      std::int64_t length) const;

  /// How a sequence of `length` bases would run. `predicts_all` says that the predictions of every
  /// position are read. `estimates_time` measures the device for a fraction of a second.
  /// @throws DeviceError when nothing fits into the memory there is, saying what is needed and
  /// which
  ///   option helps; InvalidArgument for a length below 1.
  PassPlan plan(std::int64_t length, bool predicts_all = false, bool estimates_time = false) const;

  /// For the sources of the library.
  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What `load` would find, without a device: tensors that are missing are listed, not thrown.
/// @throws FormatError when there is no readable checkpoint.
ModelInfo describe_model(const std::string& directory);

}  // namespace ssmgen
