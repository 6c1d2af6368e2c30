#pragma once
// The selective scan for few chains: a tile's slices side by side, a warp each, and the tiles of a
// chain over the blocks of a cluster. For each tile a warp
//   1. runs its slice from a zero state, keeping the decays exp(delta A) of its steps in registers;
//   2. takes the state at the slice's start as if the tile had begun from zero, and the time from
//      there on, from the warp before, and hands both on to the next;
//   3. takes the tile's true start state, which the last warp of the tile before has sent, here or
//      in the next block of the cluster;
//   4. runs the slice again from its true start, with the decays it kept, for the outputs.
// Steps 1 of many tiles run ahead of step 3; what goes on from tile to tile is one multiply-add.

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "kernels/cuda/check.hpp"
#include "kernels/cuda/scan_slices.cuh"

namespace ssmgen::kernels::cuda {

// 32 lanes' states, sixteen bytes a lane at a time.
struct LaneStates {
  float4 part[state_parts][32];
};

inline constexpr std::uint32_t lane_bytes = sizeof(LaneStates) / 32;

// What warp `w` leaves for warp `w + 1`: the state at its slice's end as if the tile had begun from
// zero, and the time from the tile's start up to there (of each lane's sixteen bytes the first).
struct Handover {
  LaneStates state;
  float4 elapsed[32];
};

// A block's shared memory is that of two turns, one tile each. Laid out by hand, since the number
// of state groups is the caller's, and addressed as shared memory, since the compiler would work
// out the block's window in its cluster's memory again at every use.
template <class T, int warps>
class TurnMemory {
 public:
  static __host__ __device__ std::uint32_t bytes(int groups) {
    const std::uint32_t signals = groups * warps * sizeof(Signal);
    return slices_at(groups) + warps * SliceMemory<T>::bytes(groups) + (signals + 15) / 16 * 16;
  }
  __device__ TurnMemory(std::uint32_t address, int groups) : address_(address), groups_(groups) {}

  // The state that the tile starts from.
  __device__ LaneStates& start(int group) const {
    return *at<LaneStates>(group * sizeof(LaneStates));
  }
  __device__ Handover& handover(int group, int warp) const {
    return *at<Handover>(groups_ * sizeof(LaneStates) +
                         (group * (warps - 1) + warp) * sizeof(Handover));
  }
  __device__ SliceMemory<T> slice(int warp) const {
    return {at<char>(slices_at(groups_) + warp * SliceMemory<T>::bytes(groups_))};
  }
  // That start(group) is there; that handover(group, warp) is.
  __device__ Signal& start_signal(int group) const { return signal(group * warps); }
  __device__ Signal& handover_signal(int group, int warp) const {
    return signal(group * warps + 1 + warp);
  }
  __device__ Signal& signal(int index) const {
    return *at<Signal>(slices_at(groups_) + warps * SliceMemory<T>::bytes(groups_) +
                       index * sizeof(Signal));
  }

 private:
  static __host__ __device__ std::uint32_t slices_at(int groups) {
    return groups * (sizeof(LaneStates) + (warps - 1) * sizeof(Handover));
  }
  template <class U>
  __device__ U* at(std::size_t offset) const {
    return static_cast<U*>(__cvta_shared_to_generic(address_ + static_cast<std::uint32_t>(offset)));
  }

  std::uint32_t address_;
  int groups_;
};

template <class T, int warps, bool vectors, class PartsOf>
__global__ void __launch_bounds__(warps * 32, 1)
    scan_by_cluster(const __grid_constant__ Job<T> job) {
  extern __shared__ __align__(16) char memory[];
  const int groups = vectors ? 1 : job.state_groups;
  using Memory = TurnMemory<T, warps>;
  const std::uint32_t address = shared_address(memory);
  Memory turn(address, groups);                               // of the tile at hand ...
  Memory next_turn(address + Memory::bytes(groups), groups);  // ... and of the one on its way
  const SelectiveScanArgs<T>& args = job.args;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int half = lane / chain_channels;
  const int own_channel = lane % chain_channels;
  const int rank = cluster_rank();
  const int blocks = cluster_blocks();
  const bool is_last_warp = warp == warps - 1;

  for (const Memory& each : {turn, next_turn}) {
    for (int i = static_cast<int>(threadIdx.x); i < groups * warps;
         i += static_cast<int>(blockDim.x)) {
      each.signal(i).prepare();
    }
  }
  __syncthreads();
  if (warp == 0 && blocks > 1) {
    for (int group = 0; group < groups; ++group) turn.start_signal(group).expect(lane_bytes);
  }
  publish_signals();

  // To block `to` of the cluster, the state that its turn starts from.
  const auto send_start = [&](int to, const Memory& its_turn, int group,
                              const float(&h)[lane_states]) {
    LaneStates& start = its_turn.start(group);
    Signal& signal = its_turn.start_signal(group);
    const auto part = [&](int i) {
      return make_float4(h[4 * i], h[4 * i + 1], h[4 * i + 2], h[4 * i + 3]);
    };
    if (blocks > 1) {
#pragma unroll
      for (int i = 0; i < state_parts; ++i) send(&start.part[i][lane], signal, to, part(i));
    } else {
#pragma unroll
      for (int i = 0; i < state_parts; ++i) start.part[i][lane] = part(i);
      signal.raise();
    }
  };
  const int spacing = blocks * warps * slice_positions;  // from a warp's slice to its next
  const auto own_steps = [&](const Place& place) {
    return Chain(job, place.chain).slice_steps<warps>(job, place.tile, warp);
  };
  SliceFeed<T> feed;
  const auto stage_tile = [&](const Place& place, bool is_other_chain, const Memory& to) {
    if (!place.exists(job)) return;
    const SliceMemory<T> slice = to.slice(warp);
    if constexpr (vectors) {
      if (is_other_chain) {
        feed.start(job, own_steps(place), spacing, lane);
      } else {
        feed.advance();
      }
      feed.stage(job, PartsOf::of(job), lane, slice);
    } else {
      stage_elements<warps>(job, place, warp, lane, slice.rows(), slice.states());
    }
  };

  Place now{static_cast<int>(blockIdx.x) / blocks, 0};
  if (rank == 0 && is_last_warp) {
    const Chain chain(job, now.chain);
    for (int group = 0; group < groups; ++group) {
      float h[lane_states];
      initial_state(args, chain.batch, chain.channel + own_channel,
                    group * group_states + half * lane_states, h);
      send_start(0, turn, group, h);
    }
  }
  now.advance(job, rank);
  stage_tile(now, true, turn);

  const int pair = own_channel - own_channel % 2;
  const int lane_step = output_step(half, own_channel);
  OutputSteps<T> outputs(job, own_steps(now), pair, lane_step);
  float a[lane_states];  // A of the lane's states, for powers of two
  float skip[pair_channels];
  int first_channel = 0;  // of the chain
  bool begins_here = true;
  for (unsigned turn_count = 0; now.exists(job); ++turn_count) {
    const unsigned use = turn_count / 2;  // of the turn's signals
    wait_for_copies();
    __syncwarp();
    Place next = now;
    const bool ends_here = next.advance(job, blocks);
    stage_tile(next, ends_here, next_turn);
    const SliceMemory<T> slice = turn.slice(warp);
    const SliceRows<T>& rows = slice.rows();
    float y[slice_positions];
    float delta_x[slice_positions];
#pragma unroll
    for (int t = 0; t < slice_positions; ++t) y[t] = 0.0f;
    for (int group = 0; group < groups; ++group) {
      const SliceStates& states = slice.states()[group];
      const int first_state = group * group_states + half * lane_states;
      if (begins_here || groups > 1) {
        first_channel = Chain(job, now.chain).channel;
        load_skips<vectors>(args, first_channel + pair, skip);
        load_rates<vectors>(args, first_channel + own_channel, first_state, a);
      }
      // 1. The slice from a zero state.
      float decay[slice_positions][lane_states];
      float h[lane_states];
      float elapsed = 0.0f;
#pragma unroll
      for (int t = 0; t < slice_positions; ++t) {
        const float delta = to_float(rows.delta[t][own_channel]);
        delta_x[t] = delta * to_float(rows.x[t][own_channel]);
        elapsed += delta;
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          float b[4];
          get(&states.b[t][half * lane_states + 4 * i], b);
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            const int n = 4 * i + j;
            decay[t][n] = exp2_fast(delta * a[n]);
            h[n] = t == 0 ? delta_x[t] * b[j] : fmaf(decay[t][n], h[n], delta_x[t] * b[j]);
          }
        }
      }
      // 2. From the tile's start to the slice's end, as if it had begun from zero. Whoever comes
      // next waits for this, so all that can be worked out before is.
      float slice_decay[lane_states];
#pragma unroll
      for (int n = 0; n < lane_states; ++n) slice_decay[n] = exp2_now(elapsed * a[n]);
      // Kept until step 4: the warp before may by then have put its next but one in this place.
      float before[lane_states] = {};
      float elapsed_before = 0.0f;
      if (warp > 0) {
        turn.handover_signal(group, warp - 1).wait(use);
        const Handover& from = turn.handover(group, warp - 1);
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          get(&from.state.part[i][lane].x, reinterpret_cast<float(&)[4]>(before[4 * i]));
#pragma unroll
          for (int n = 4 * i; n < 4 * i + 4; ++n) h[n] = fmaf(slice_decay[n], before[n], h[n]);
        }
        elapsed_before = from.elapsed[lane].x;
        elapsed += elapsed_before;
      }
      if (!is_last_warp) {
        Handover& to = turn.handover(group, warp);
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          const int n = 4 * i;
          to.state.part[i][lane] = make_float4(h[n], h[n + 1], h[n + 2], h[n + 3]);
        }
        to.elapsed[lane].x = elapsed;
        turn.handover_signal(group, warp).raise();
      }
      // 3. The tile's true start, and from the last warp the next one's.
      turn.start_signal(group).wait(use);
      const LaneStates& tile_start = turn.start(group);
      if (is_last_warp) {
        // Only now: whoever goes on from the next start knows that this turn's hand-overs have all
        // been taken, and may use their places again.
        if (blocks > 1) next_turn.start_signal(group).expect(lane_bytes);
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          float start[4];
          get(&tile_start.part[i][lane].x, start);
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            const int n = 4 * i + j;
            h[n] = fmaf(exp2_fast(elapsed * a[n]), start[j], h[n]);
          }
        }
        bool goes_on = true;
        if (now.tile == job.tiles - 1) {
          final_state(args, Chain(job, now.chain).batch, first_channel + own_channel, first_state,
                      h);
          goes_on = now.chain + job.workers < job.chains;
          if (goes_on) {
            const Chain following(job, now.chain + job.workers);
            initial_state(args, following.batch, following.channel + own_channel, first_state, h);
          }
        }
        if (goes_on) {
          const bool wraps = rank + 1 == blocks;
          send_start(wraps ? 0 : rank + 1, wraps ? next_turn : turn, group, h);
        }
      }
      // 4. The slice from its true start.
#pragma unroll
      for (int i = 0; i < state_parts; ++i) {
        float start[4];
        get(&tile_start.part[i][lane].x, start);
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const int n = 4 * i + j;
          h[n] = warp > 0 ? fmaf(exp2_fast(elapsed_before * a[n]), start[j], before[n]) : start[j];
        }
      }
#pragma unroll
      for (int t = 0; t < slice_positions; ++t) {
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          float b[4];
          float c[4];
          get(&states.b[t][half * lane_states + 4 * i], b);
          get(&states.c[t][half * lane_states + 4 * i], c);
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            const int n = 4 * i + j;
            h[n] = fmaf(decay[t][n], h[n], delta_x[t] * b[j]);
            y[t] = fmaf(c[j], h[n], y[t]);
          }
        }
      }
    }
    constexpr int lane_outputs = slice_positions / 4;
    float out[lane_outputs][pair_channels];
    join_lanes(y, half, own_channel, out);
    write_outputs<vectors, 4>(job, PartsOf::of(job), first_channel, pair, skip, rows, lane_step,
                              out, outputs);
    if (ends_here) {
      outputs = OutputSteps<T>(job, own_steps(next), pair, lane_step);
    } else {
      outputs.skip(spacing);
    }
    __syncwarp();
    now = next;
    begins_here = ends_here;
    const Memory free_turn = turn;
    turn = next_turn;
    next_turn = free_turn;
  }
  synchronize_cluster();
}

// How many clusters of 1, 2 and 4 blocks the card runs at once: none where it has no clusters.
using ClustersAtOnce = std::array<std::int64_t, 3>;

cudaLaunchConfig_t configure(std::int64_t clusters, int blocks, int threads, std::size_t bytes,
                             cudaStream_t stream, cudaLaunchAttribute& attribute) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(clusters * blocks));
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = bytes;
  config.stream = stream;
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = static_cast<unsigned>(blocks);
  attribute.val.clusterDim.y = 1;
  attribute.val.clusterDim.z = 1;
  config.attrs = &attribute;
  config.numAttrs = blocks > 1 ? 1 : 0;
  return config;
}

template <class Kernel>
ClustersAtOnce find_clusters_at_once(Kernel kernel, int threads, std::size_t bytes) {
  ClustersAtOnce result{current_attribute(cudaDevAttrMultiProcessorCount), 0, 0};
  if (current_attribute(cudaDevAttrComputeCapabilityMajor) < 9) return result;
  for (std::size_t i = 1; i < result.size(); ++i) {
    cudaLaunchAttribute attribute{};
    const cudaLaunchConfig_t config = configure(1, 1 << i, threads, bytes, nullptr, attribute);
    int clusters = 0;
    check(cudaOccupancyMaxActiveClusters(&clusters, kernel, &config), "selective_scan: clusters");
    result[i] = clusters;
  }
  return result;
}

// The same, asked of the driver once for a kernel, card and size: asking takes longer than a
// launch.
template <class T, int warps, bool vectors, class PartsOf>
ClustersAtOnce clusters_at_once(int device, std::size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<int, std::size_t>, ClustersAtOnce> known;
  const std::scoped_lock lock(mutex);
  const auto [entry, is_new] = known.try_emplace({device, bytes});
  if (is_new) {
    const auto kernel = scan_by_cluster<T, warps, vectors, PartsOf>;
    entry->second = find_clusters_at_once(kernel, warps * 32, bytes);
  }
  return entry->second;
}

// What a block of a cluster of 1, 2 and 4 needs for a tile beside one that is alone: measured. Its
// warps wait less for states that the other blocks' have ready meanwhile.
constexpr std::array tile_times{1.0, 0.85, 0.85};

// The blocks a chain is swept by, such that the last of so many chains ends soonest.
std::size_t choose_cluster(const ClustersAtOnce& at_once, std::int64_t chains, std::int64_t tiles) {
  std::size_t best = 0;
  double best_time = 0;
  for (std::size_t i = 0; i < at_once.size(); ++i) {
    const std::int64_t blocks = std::int64_t{1} << i;
    if (at_once[i] == 0 || blocks > tiles) break;
    const std::int64_t rounds = (chains + at_once[i] - 1) / at_once[i];
    const double time = static_cast<double>(rounds) / static_cast<double>(blocks) * tile_times[i];
    if (i > 0 && time >= best_time) continue;
    best = i;
    best_time = time;
  }
  return best;
}

template <class T, int warps, bool vectors, class PartsOf>
void launch_clusters(cudaStream_t stream, Job<T>& job) {
  constexpr int threads = warps * 32;
  const auto kernel = scan_by_cluster<T, warps, vectors, PartsOf>;
  const std::size_t bytes = 2 * TurnMemory<T, warps>::bytes(job.state_groups);
  int device = 0;
  check(cudaGetDevice(&device), "current device");
  allow_shared_memory(kernel, bytes, "selective_scan");
  const ClustersAtOnce at_once = clusters_at_once<T, warps, vectors, PartsOf>(device, bytes);
  constexpr int tile = warps * slice_positions;
  static_assert(tile_length % tile == 0);
  job.tiles = static_cast<int>((job.args.length + tile - 1) / tile);
  const std::size_t size = choose_cluster(at_once, job.chains, job.tiles);
  const int clusters = static_cast<int>(std::min<std::int64_t>(job.chains, at_once[size]));
  job.workers = clusters;
  cudaLaunchAttribute attribute{};
  const cudaLaunchConfig_t config =
      configure(clusters, 1 << size, threads, bytes, stream, attribute);
  check(cudaLaunchKernelEx(&config, kernel, job), "selective_scan");
}

}  // namespace ssmgen::kernels::cuda
