#pragma once
// What a base costs a model in arithmetic, and a run in time.

#include "kernels/backend.hpp"
#include "models/network.hpp"
#include "stream/run_plan.hpp"

namespace ssmgen::tasks {

/// Of one base: matrix products of each block and strand, shared where the weights are, and the
/// scans' exponentials (Mamba) or multiply-adds (S4). The head reads few positions or costs little.
struct BaseCost {
  double product_flop = 0;
  double exponentials = 0;
  double multiply_adds = 0;
};
BaseCost base_cost(const models::Network& network);

/// The time in which the device could do the arithmetic alone.
double floor_seconds(const BaseCost& cost, const kernels::DeviceRates& rates);

/// What a sequence will take at these rates: its floor, with what a folded run does again, times
/// what runs have been measured to take of their floor.
double estimated_seconds(const models::Network& network, const kernels::DeviceRates& rates,
                         const stream::RunPlan& plan, double bases);

}  // namespace ssmgen::tasks
