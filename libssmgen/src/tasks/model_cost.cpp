#include "tasks/model_cost.hpp"

#include <variant>

namespace ssmgen::tasks {
namespace {

// `ssmgen bench` of Caduceus-PS: 2.1 (65,536 bases, d128 x 6) and 2.8 (4,096) on two Zen cores, 2.9
// on an H200 (2^20, d256 x 16).
constexpr double times_floor = 2.5;

BaseCost cost_of(const models::MambaStack& stack) {
  const layers::MambaSizes& sizes = stack.shape.sizes;
  const auto d_model = static_cast<double>(sizes.d_model);
  const auto d_inner = static_cast<double>(sizes.d_inner);
  const auto rank = static_cast<double>(sizes.dt_rank);
  const auto states = static_cast<double>(sizes.d_state);
  BaseCost cost;
  for (const layers::BiMambaBlock& block : stack.blocks) {
    const double sweeps = block.is_bidirectional() ? 2 : 1;
    const double in_projections = block.shares_in_proj() ? 1 : 2;
    const double out_projections = block.is_bidirectional() && !block.sums_sweeps() ? 2 : 1;
    cost.product_flop += 2 * d_model * 2 * d_inner * in_projections;
    cost.product_flop += 2 * d_inner * d_model * out_projections;
    cost.product_flop += 2 * d_inner * (2 * rank + 2 * states) * sweeps;
    cost.exponentials += d_inner * states * sweeps;
  }
  cost.product_flop *= stack.shape.strands;
  cost.exponentials *= stack.shape.strands;
  return cost;
}

// A complex state takes its input and gives its output with two multiply-adds each; what it costs
// to carry it from group to group can be made as small as one likes.
BaseCost cost_of(const models::S4Stack& stack) {
  const auto channels = static_cast<double>(stack.config.d_model);
  const auto layers = static_cast<double>(stack.config.n_layer);
  const auto states = static_cast<double>(stack.config.d_state) / 2;
  BaseCost cost;
  cost.product_flop = layers * 2 * channels * 2 * channels;
  cost.multiply_adds = layers * channels * states * 4 * (stack.config.bidirectional ? 2 : 1);
  return cost;
}

// The sweep for the states at the borders: x, the projections of one sweep and its scan.
BaseCost border_cost(const models::MambaStack& stack) {
  const layers::MambaSizes& sizes = stack.shape.sizes;
  const auto sweeps =
      static_cast<double>(stack.shape.strands) * static_cast<double>(stack.shape.n_layer);
  const auto inner = static_cast<double>(sizes.d_inner);
  BaseCost cost;
  cost.product_flop = sweeps * 2 * inner *
                      static_cast<double>(sizes.d_model + 2 * sizes.dt_rank + 2 * sizes.d_state);
  cost.exponentials = sweeps * inner * static_cast<double>(sizes.d_state);
  return cost;
}

}  // namespace

BaseCost base_cost(const models::Network& network) {
  return std::visit([](const auto& stack) { return cost_of(stack); }, network);
}

double floor_seconds(const BaseCost& cost, const kernels::DeviceRates& rates) {
  return cost.product_flop / rates.product_flop_per_second +
         cost.exponentials / rates.exponentials_per_second +
         cost.multiply_adds / rates.multiply_adds_per_second;
}

double estimated_seconds(const models::Network& network, const kernels::DeviceRates& rates,
                         const stream::RunPlan& plan, double bases) {
  double seconds = floor_seconds(base_cost(network), rates);
  const auto* stack = std::get_if<models::MambaStack>(&network);
  if (stack != nullptr && plan.mode == stream::RunMode::folded) {
    seconds += floor_seconds(border_cost(*stack), rates);
  }
  return times_floor * seconds * bases;
}

}  // namespace ssmgen::tasks
