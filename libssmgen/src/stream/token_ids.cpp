#include "stream/token_ids.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ssmgen/errors.hpp>

namespace ssmgen::stream {

void check_token_ids(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                     std::int64_t vocabulary) {
  if (batch < 0 || length < 1 || static_cast<std::int64_t>(ids.size()) != batch * length) {
    throw InvalidArgument(
        fmt::format("{} token ids given for {} sequences of {}", ids.size(), batch, length));
  }
  const auto bad =
      std::ranges::find_if(ids, [&](std::int32_t id) { return id < 0 || id >= vocabulary; });
  if (bad != ids.end()) {
    throw InvalidArgument(
        fmt::format("token id {} is outside the vocabulary of {}", *bad, vocabulary));
  }
}

}  // namespace ssmgen::stream
