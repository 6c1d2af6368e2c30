#pragma once

#include <variant>

#include "models/mamba_stack.hpp"
#include "models/s4.hpp"

namespace ssmgen::models {

/// What a checkpoint becomes on a device: one of the kinds of stack that can be streamed.
using Network = std::variant<MambaStack, S4Stack>;

}  // namespace ssmgen::models
