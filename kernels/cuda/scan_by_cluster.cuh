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

// What warp `w` leaves for warp `w + 1`: the state at its slice's end as if the tile had begun from
// zero, and the time from the tile's start up to there.
struct Handover {
  LaneStates state;
  float elapsed[32];
};

template <class T, int warps>
struct Shared {
  // Laid out by hand, since the number of state groups is the caller's.
  char* memory;
  int state_groups;

  static __host__ __device__ std::size_t bytes(int groups) {
    const auto count = static_cast<std::size_t>(groups);
    return 2 * count * sizeof(LaneStates) + 2 * count * (warps - 1) * sizeof(Handover) +
           2 * warps * SliceMemory<T>::bytes(groups) + 2 * count * warps * sizeof(Signal);
  }
  // The start state of a block's turn.
  __device__ LaneStates& start(int turn, int group) const {
    return reinterpret_cast<LaneStates*>(memory)[turn * state_groups + group];
  }
  __device__ Handover& handover(int turn, int group, int warp) const {
    char* base = memory + 2 * state_groups * sizeof(LaneStates);
    return reinterpret_cast<Handover*>(base)[(turn * state_groups + group) * (warps - 1) + warp];
  }
  __device__ SliceMemory<T> slice(int turn, int warp) const {
    char* base = memory + 2 * state_groups * (sizeof(LaneStates) + (warps - 1) * sizeof(Handover));
    return {base + (turn * warps + warp) * SliceMemory<T>::bytes(state_groups)};
  }
  __device__ Signal* signals() const { return reinterpret_cast<Signal*>(slice(2, 0).memory); }
  // That start(turn, group) is there; that handover(turn, group, warp) is.
  __device__ Signal& start_signal(int turn, int group) const {
    return signals()[(turn * state_groups + group) * warps];
  }
  __device__ Signal& handover_signal(int turn, int group, int warp) const {
    return signals()[(turn * state_groups + group) * warps + 1 + warp];
  }
};

template <class T, int warps, bool vectors>
__global__ void __launch_bounds__(warps * 32, 1)
    scan_by_cluster(const __grid_constant__ Job<T> job) {
  extern __shared__ __align__(16) char memory[];
  const int groups = vectors ? 1 : job.state_groups;
  const Shared<T, warps> shared{memory, groups};
  const SelectiveScanArgs<T>& args = job.args;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int half = lane / chain_channels;
  const int own_channel = lane % chain_channels;
  const int rank = cluster_rank();
  const int blocks = cluster_blocks();
  const bool is_last_warp = warp == warps - 1;

  for (int i = static_cast<int>(threadIdx.x); i < 2 * groups * warps;
       i += static_cast<int>(blockDim.x)) {
    const bool is_sent = i % warps == 0 && blocks > 1;  // a start, from another block
    shared.signals()[i].prepare(is_sent ? 1 : 32);
  }
  __syncthreads();
  if (threadIdx.x == 0 && blocks > 1) {
    for (int i = 0; i < 2 * groups; ++i) {
      shared.start_signal(i / groups, i % groups).expect(sizeof(LaneStates));
    }
  }
  publish_signals();

  // To block `to` of the cluster, the state that its turn starts from.
  const auto send_start = [&](int to, int turn, int group, const float(&h)[lane_states]) {
    LaneStates& start = shared.start(turn, group);
    Signal& signal = shared.start_signal(turn, group);
#pragma unroll
    for (int i = 0; i < state_parts; ++i) {
      const float4 part = make_float4(h[4 * i], h[4 * i + 1], h[4 * i + 2], h[4 * i + 3]);
      if (blocks > 1) {
        send(&start.part[i][lane], signal, to, part);
      } else {
        start.part[i][lane] = part;
      }
    }
    if (blocks == 1) signal.raise();
  };
  const auto stage_turn = [&](const Cursor& cursor, int turn) {
    if (!cursor.exists(job)) return;
    stage<vectors, warps>(job, cursor, warp, lane, shared.slice(turn, warp));
  };

  Cursor now = Cursor::at_chain(job, static_cast<int>(blockIdx.x) / blocks);
  if (rank == 0 && is_last_warp) {
    for (int group = 0; group < groups; ++group) {
      float h[lane_states];
      initial_state(args, now.batch, now.channel + own_channel,
                    group * group_states + half * lane_states, h);
      send_start(0, 0, group, h);
    }
  }
  now.advance(job, rank);
  stage_turn(now, 0);

  float a[lane_states];  // A of the lane's states, for powers of two
  float skip = 0.0f;
  int known_channel = -1;  // whose they are
  for (unsigned turn_count = 0; now.exists(job); ++turn_count) {
    const int turn = static_cast<int>(turn_count % 2);
    const unsigned use = turn_count / 2;  // of this turn's signals
    const int channel = now.channel + own_channel;
    wait_for_copies();
    __syncwarp();
    Cursor next = now;
    next.advance(job, blocks);
    stage_turn(next, 1 - turn);
    const SliceRows<T>& rows = shared.slice(turn, warp).rows();
    float y[slice_positions];
    float delta_x[slice_positions];
#pragma unroll
    for (int t = 0; t < slice_positions; ++t) y[t] = 0.0f;
    for (int group = 0; group < groups; ++group) {
      const SliceStates& states = shared.slice(turn, warp).states()[group];
      const int first_state = group * group_states + half * lane_states;
      if (channel != known_channel || groups > 1) {
        known_channel = channel;
        skip = args.d != nullptr && channel < args.channels ? args.d[channel] : 0.0f;
        load_rates<vectors>(args, channel, first_state, a);
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
        shared.handover_signal(turn, group, warp - 1).wait(use);
        const Handover& from = shared.handover(turn, group, warp - 1);
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          get(&from.state.part[i][lane].x, reinterpret_cast<float(&)[4]>(before[4 * i]));
#pragma unroll
          for (int n = 4 * i; n < 4 * i + 4; ++n) h[n] = fmaf(slice_decay[n], before[n], h[n]);
        }
        elapsed_before = from.elapsed[lane];
        elapsed += elapsed_before;
      }
      if (!is_last_warp) {
        Handover& to = shared.handover(turn, group, warp);
#pragma unroll
        for (int i = 0; i < state_parts; ++i) {
          const int n = 4 * i;
          to.state.part[i][lane] = make_float4(h[n], h[n + 1], h[n + 2], h[n + 3]);
        }
        to.elapsed[lane] = elapsed;
        shared.handover_signal(turn, group, warp).raise();
      }
      // 3. The tile's true start, and from the last warp the next one's.
      shared.start_signal(turn, group).wait(use);
      const LaneStates& tile_start = shared.start(turn, group);
      if (is_last_warp) {
        if (lane == 0 && blocks > 1) shared.start_signal(turn, group).expect(sizeof(LaneStates));
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
        const bool ends_chain = now.tile == job.tiles - 1;
        Cursor following = now;
        if (ends_chain) {
          final_state(args, now.batch, channel, first_state, h);
          following.next_chain(job);
          if (following.exists(job)) {
            initial_state(args, following.batch, following.channel + own_channel, first_state, h);
          }
        }
        if (following.exists(job)) {
          const bool wraps = rank + 1 == blocks;
          const unsigned its_turn = wraps ? turn_count + 1 : turn_count;
          send_start(wraps ? 0 : rank + 1, static_cast<int>(its_turn % 2), group, h);
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
    constexpr int lane_positions = slice_positions / 2;
    float out[lane_positions];
    join_halves(y, half, out);
    const int first = half * lane_positions;
    OutputSteps<T> outputs = outputs_from<warps>(job, now, warp, own_channel, first);
    write_outputs(job, vectors || channel < job.channels, own_channel, skip, rows, first, out,
                  outputs);
    __syncwarp();
    now = next;
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
ClustersAtOnce find_clusters_at_once(Kernel kernel, int device, int threads, std::size_t bytes) {
  int multiprocessors = 0;
  int major = 0;
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device), "device");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "device");
  ClustersAtOnce result{multiprocessors, 0, 0};
  if (major < 9) return result;
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
template <class T, int warps, bool vectors>
ClustersAtOnce clusters_at_once(int device, std::size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<int, std::size_t>, ClustersAtOnce> known;
  const std::scoped_lock lock(mutex);
  const auto [entry, is_new] = known.try_emplace({device, bytes});
  if (is_new) {
    const auto kernel = scan_by_cluster<T, warps, vectors>;
    entry->second = find_clusters_at_once(kernel, device, warps * 32, bytes);
  }
  return entry->second;
}

// The blocks a chain is swept by, such that the last of so many chains ends soonest.
std::size_t choose_cluster(const ClustersAtOnce& at_once, std::int64_t chains, std::int64_t tiles) {
  std::size_t best = 0;
  double best_time = 0;
  for (std::size_t i = 0; i < at_once.size(); ++i) {
    const std::int64_t blocks = std::int64_t{1} << i;
    if (at_once[i] == 0 || blocks > tiles) break;
    const std::int64_t rounds = (chains + at_once[i] - 1) / at_once[i];
    const double time = static_cast<double>(rounds) / static_cast<double>(blocks);
    if (i > 0 && time >= best_time) continue;
    best = i;
    best_time = time;
  }
  return best;
}

template <class T, int warps, bool vectors>
void launch_clusters(cudaStream_t stream, Job<T>& job) {
  constexpr int threads = warps * 32;
  const auto kernel = scan_by_cluster<T, warps, vectors>;
  const std::size_t bytes = Shared<T, warps>::bytes(job.state_groups);
  int device = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(bytes)),
        "selective_scan: " + std::to_string(bytes) + " bytes of shared memory");
  const ClustersAtOnce at_once = clusters_at_once<T, warps, vectors>(device, bytes);
  constexpr int tile = warps * slice_positions;
  static_assert(tile_length % tile == 0);
  job.tiles = static_cast<int>((job.args.length + tile - 1) / tile);
  const std::size_t size = choose_cluster(at_once, job.chains, job.tiles);
  int clusters = static_cast<int>(std::min<std::int64_t>(job.chains, at_once[size]));
  // A cluster that keeps its channels from chain to chain keeps their A in registers.
  const int aligned = clusters / job.channel_groups * job.channel_groups;
  if (aligned * 20 >= clusters * 19) clusters = aligned;
  job.share(clusters);
  cudaLaunchAttribute attribute{};
  const cudaLaunchConfig_t config =
      configure(clusters, 1 << size, threads, bytes, stream, attribute);
  check(cudaLaunchKernelEx(&config, kernel, job), "selective_scan");
}

}  // namespace ssmgen::kernels::cuda
