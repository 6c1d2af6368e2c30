#pragma once
// The log-softmax over the four bases on the CPU; the contract is kernels/base_log_softmax.hpp.

#include "kernels/base_log_softmax.hpp"
#include "kernels/cpu/thread_pool.hpp"

namespace ssmgen::kernels::cpu {

void base_log_softmax(ThreadPool& pool, const BaseLogSoftmaxArgs& args);

}  // namespace ssmgen::kernels::cpu
