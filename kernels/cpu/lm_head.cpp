// logits[row, v] = plus[row] . weight[v]  (+ minus[row] . weight[complement[v]])
//
// Lanes are channels. Four rows by four tokens share their loads: 16 sums in registers. Each sum
// runs over the channels in order and is folded once, whatever rows and tokens stand beside it; the
// strands are summed apart and added last, so exchanging the strands exchanges the bits of the
// logits of complementary tokens.
// A task is 64 rows by 1,024 tokens: four rows of weight stay in L1 while the rows, in L2, pass by,
// so the weight of a large vocabulary is read once for 64 rows.
// Work: a DNA vocabulary spends as long on folding 16 sums as on 128 channels of multiply-adds;
// that is a thousandth of a model's time.
#include "kernels/cpu/lm_head.hpp"

#include <algorithm>
#include <ssmgen/errors.hpp>

// clang-format off: Highway fixes the order of these.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/lm_head.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd_memory.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ssmgen::kernels::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t task_rows = 64;
constexpr std::int64_t task_tokens = 1024;
constexpr int row_group = 4;
constexpr int token_group = 4;

/// Adds the products of one vector of channels, the first `count` of which there are. It must be
/// inlined, or the sums would live in memory.
template <int R, int T, class Element>
HWY_INLINE void add_products(const Element* rows, std::int64_t channels,
                             const float* const* weights, std::int64_t channel, std::int64_t count,
                             FloatVector (&sum)[R][T]) {
  FloatVector w[T];
  for (int t = 0; t < T; ++t) w[t] = load_channels(weights[t] + channel, count);
  for (int r = 0; r < R; ++r) {
    const FloatVector h = load_channels(rows + r * channels + channel, count);
    for (int t = 0; t < T; ++t) sum[r][t] = hn::MulAdd(h, w[t], sum[r][t]);
  }
}

/// sums[r][t] = rows[r] . weights[t] for R rows and T tokens.
template <int R, int T, class Element>
void dot(const Element* rows, std::int64_t channels, const float* const* weights,
         float (*sums)[token_group]) {
  const FloatTag d;
  FloatVector sum[R][T];
  for (int r = 0; r < R; ++r) {
    for (int t = 0; t < T; ++t) sum[r][t] = hn::Zero(d);
  }
  std::int64_t channel = 0;
  for (; channel + lanes <= channels; channel += lanes) {
    add_products(rows, channels, weights, channel, lanes, sum);
  }
  if (channel < channels) add_products(rows, channels, weights, channel, channels - channel, sum);
  for (int r = 0; r < R; ++r) {
    for (int t = 0; t < T; ++t) sums[r][t] = hn::GetLane(hn::SumOfLanes(d, sum[r][t]));
  }
}

template <class Element>
using DotFunction = void (*)(const Element*, std::int64_t, const float* const*,
                             float (*)[token_group]);

template <int R, class Element>
DotFunction<Element> dot_of_tokens(std::int64_t tokens) {
  switch (tokens) {
    case 1:
      return dot<R, 1, Element>;
    case 2:
      return dot<R, 2, Element>;
    case 3:
      return dot<R, 3, Element>;
    default:
      return dot<R, 4, Element>;
  }
}

template <class Element>
void score_task(const LmHeadArgs<Element>& args, std::int64_t first_row, std::int64_t first_token) {
  const std::int64_t last_row = std::min(args.rows, first_row + task_rows);
  const std::int64_t last_token = std::min(args.vocabulary, first_token + task_tokens);
  for (std::int64_t token = first_token; token < last_token; token += token_group) {
    const auto tokens = std::min<std::int64_t>(token_group, last_token - token);
    const float* plus_weights[token_group] = {};
    const float* minus_weights[token_group] = {};
    for (std::int64_t t = 0; t < tokens; ++t) {
      plus_weights[t] = args.weight + (token + t) * args.channels;
      if (args.minus == nullptr) continue;
      minus_weights[t] = args.weight + args.complement[token + t] * args.channels;
    }
    const auto dot_group = dot_of_tokens<row_group, Element>(tokens);
    const auto dot_single = dot_of_tokens<1, Element>(tokens);
    for (std::int64_t row = first_row; row < last_row;) {
      const std::int64_t rows = last_row - row >= row_group ? row_group : 1;
      const auto dot_rows = rows == row_group ? dot_group : dot_single;
      float plus[row_group][token_group] = {};
      float minus[row_group][token_group] = {};
      dot_rows(args.plus + row * args.channels, args.channels, plus_weights, plus);
      if (args.minus != nullptr) {
        dot_rows(args.minus + row * args.channels, args.channels, minus_weights, minus);
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        float* to = args.logits + (row + r) * args.vocabulary + token;
        for (std::int64_t t = 0; t < tokens; ++t) to[t] = plus[r][t] + minus[r][t];
      }
      row += rows;
    }
  }
}

template <class Element>
void score(ThreadPool& pool, const LmHeadArgs<Element>& args) {
  const std::int64_t row_tasks = (args.rows + task_rows - 1) / task_rows;
  const std::int64_t token_tasks = (args.vocabulary + task_tokens - 1) / task_tokens;
  pool.parallel_for(row_tasks * token_tasks, [&args, token_tasks](std::int64_t task) {
    score_task(args, task / token_tasks * task_rows, task % token_tasks * task_tokens);
  });
}

void score_f32(ThreadPool& pool, const LmHeadArgs<float>& args) {
  score(pool, args);
}
void score_bf16(ThreadPool& pool, const LmHeadArgs<bfloat16>& args) {
  score(pool, args);
}

}  // namespace
}  // namespace ssmgen::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ssmgen::kernels::cpu {
namespace {

HWY_EXPORT(score_f32);
HWY_EXPORT(score_bf16);

template <class Args>
void check_strands(const Args& args) {
  if (args.minus != nullptr && args.complement == nullptr) {
    throw InvalidArgument("lm_head: two strands need the complement of each token, and got none");
  }
}

}  // namespace

void lm_head(ThreadPool& pool, const LmHeadArgs<float>& args) {
  check_strands(args);
  HWY_DYNAMIC_DISPATCH(score_f32)(pool, args);
}

void lm_head(ThreadPool& pool, const LmHeadArgs<bfloat16>& args) {
  check_strands(args);
  HWY_DYNAMIC_DISPATCH(score_bf16)(pool, args);
}

}  // namespace ssmgen::kernels::cpu
#endif
