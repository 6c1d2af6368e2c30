#pragma once

#include <cstdint>
#include <span>

namespace ssmgen::stream {

/// @throws InvalidArgument unless ids are (batch, length), each in [0, vocabulary).
void check_token_ids(std::span<const std::int32_t> ids, std::int64_t batch, std::int64_t length,
                     std::int64_t vocabulary);

}  // namespace ssmgen::stream
