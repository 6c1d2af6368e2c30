#include "models/registry.hpp"

#include "models/caduceus.hpp"
#include "models/mamba.hpp"
#include "models/s4.hpp"

namespace ssmgen::models {

// The one list of what can be built; a new kind of config does not compile without its line.
Network build_network(kernels::Backend& backend, const ModelConfig& config, WeightSource& source,
                      Dtype dtype) {
  struct Builder {
    kernels::Backend& backend;
    WeightSource& source;
    Dtype dtype;
    Network operator()(const CaduceusConfig& c) const {
      return build_caduceus(backend, c, source, dtype);
    }
    Network operator()(const MambaHfConfig& c) const {
      return build_mamba(backend, c, source, dtype);
    }
    Network operator()(const MambaSsmConfig& c) const {
      return build_mamba(backend, c, source, dtype);
    }
    Network operator()(const S4Config& c) const { return build_s4(backend, c, source, dtype); }
  };
  return std::visit(Builder{backend, source, dtype}, config.model);
}

}  // namespace ssmgen::models
