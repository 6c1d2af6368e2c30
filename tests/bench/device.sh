#!/usr/bin/env bash
# Checks and times everything on a GPU machine: on one that builds, by
#   tests/bench/device.sh all [BUILD_DIR]         builds, then as below
# and on one that has none of the libraries, by taking a build there:
#   tests/bench/device.sh pack BUILD_DIR FOLDER   here: binaries and the libraries they need
#   FOLDER/device.sh run                          there: tests, timings, sanitizers, one table
#   FOLDER/device.sh long                         there: lengths up to a chromosome's, minutes
#   FOLDER/device.sh python SOURCE_DIR            there: the Python package beside PyTorch, CuPy, JAX
# Where they are, goldens in FOLDER/golden are run too, a VCF over FOLDER/genome.fa is scored, and
# FOLDER/scores/NAME (ref.fa, in.vcf, expected.tsv, options) with the model FOLDER/scores/model.
set -euo pipefail

pack() {
  local build=$1 folder=$2
  local programs=(ssmgen test_kernels test_stream test_tasks)
  mkdir -p "$folder/lib"
  for program in "${programs[@]}"; do
    cp -L "$build/bin/$program" "$folder/"
    ldd "$build/bin/$program" | awk '/=> \//{print $3}'
  done | sort -u | grep -v -E '/(libc|libm|ld-linux[^/]*)\.so' | xargs -I{} cp -L {} "$folder/lib/"
  cp -L "$build/lib/libssmgen_cuda.so" "$folder/lib/"
  strip "$folder"/lib/*.so* "${programs[@]/#/$folder/}"
  tar -C "$folder" -czf "$folder/lib.tar.gz" lib  # a third of the size
  rm -r "${folder:?}/lib"
  cp "$0" "$(dirname "$0")"/{random_checkpoint,compare_scores,../support/vcf_text}.py "$folder/"
}

all() {
  local build=${1:-build}
  cmake --preset release -B "$build"
  cmake --build "$build" --target bin/ssmgen bin/test_kernels bin/test_stream bin/test_tasks \
    lib/libssmgen_cuda.so
  pack "$build" "$build/device"
  "$build/device/device.sh" run
}

unpack() {
  cd "$(dirname "$0")"
  tar -xzf lib.tar.gz
  export LD_LIBRARY_PATH=$PWD/lib
}

# One line: what, seconds of the fastest pass, bases a second, the most memory of card and host.
bench() {
  printf '%-74s ' "$*"
  ./ssmgen bench --device cuda "$@" |
    awk '/  seconds/ {s = $2} /bases\/s/ {b = $2} /peak memory/ {h = $3 " " $4}
         /peak device/ {m = $4 " " $5} END {print s " s  " b " bases/s  " m "  host " h}'
}

# Seconds from a VCF of 5,000 SNVs to its scores, with a model of that width and depth.
score() {
  local model=/tmp/ssmgen-random-$1x$2
  python3 random_checkpoint.py checkpoint "$model" "$1" "$2"
  python3 random_checkpoint.py variants genome.fa 5000 >/tmp/ssmgen-5000.vcf
  printf 'score 5,000 SNVs, d%s x %s: ' "$1" "$2"
  TIMEFORMAT='%R s'
  time ./ssmgen score --device cuda --dtype bf16 --model "$model" --fasta genome.fa --quiet \
    -o /tmp/ssmgen-5000.out.vcf /tmp/ssmgen-5000.vcf
}

# The scores that the reference gave, against ours in f32 and bf16.
compare() {
  local name=$1 dtype
  for dtype in f32 bf16; do
    # shellcheck disable=SC2046
    ./ssmgen score --device cuda --dtype "$dtype" --model scores/model --quiet \
      --score masked,unmasked $(cat "scores/$name/options") --fasta "scores/$name/ref.fa" \
      -o "/tmp/ssmgen-$dtype.vcf" "scores/$name/in.vcf"
  done
  printf '%s: ' "$name"
  python3 compare_scores.py "scores/$name/expected.tsv" /tmp/ssmgen-{f32,bf16}.vcf
}

run() {
  unpack
  local program golden length expected
  for program in test_kernels test_stream test_tasks; do
    "./$program" --gtest_filter='*Cuda*:*cuda*' --gtest_brief=1 | grep -v -i skipped
  done
  # Goldens, when a folder of them was put beside.
  for golden in golden/*/; do
    [[ -d $golden ]] || continue
    ./ssmgen selftest --device cuda --golden "$golden" | tail -n 1 | sed "s|^|$golden |"
  done
  for length in 131072 1048576; do
    bench --dtype bf16 --shape ps-d256x16 --length "$length"
    bench --dtype bf16 --shape ph-d256x16 --length "$length"
  done
  bench --dtype bf16 --shape ps-d256x16 --length 131072 --windows 8
  bench --dtype f32 --shape ps-d256x16 --length 1048576
  bench --dtype bf16 --shape ps-d384x20 --windows 5120
  bench --dtype bf16 --shape ps-d1024x32 --windows 5120 --repeats 1
  bench --dtype f32 --shape s4d-d256x16 --length 1048576
  bench --dtype bf16 --shape s4d-d256x16 --length 1048576
  bench --dtype bf16 --shape ps-d256x16 --windows 1 --repeats 50
  for length in 14 16 18 20 22 24; do
    bench --dtype bf16 --shape ps-d256x16 --length $((1 << length)) --repeats 1
  done
  for expected in scores/*/expected.tsv; do
    if [[ -f $expected ]]; then compare "$(basename "$(dirname "$expected")")"; fi
  done
  if [[ -f genome.fa ]]; then
    score 384 20
    score 1024 32
  fi
  # Small shapes: under the sanitizers a kernel takes a hundred times as long.
  local small='*OfShortSequences*:*OfFewChains*:CudaSweepInputs.Have*'
  compute-sanitizer --tool memcheck ./test_kernels --gtest_filter="$small" | tail -n 1
  compute-sanitizer --tool memcheck ./test_stream \
    --gtest_filter='*FoldedLaws*ps*cuda:*PiecesGiveTheBitsOfTheWhole*ps_fused*cuda' | tail -n 1
  compute-sanitizer --tool racecheck --racecheck-report all ./test_kernels \
    --gtest_filter="$small" | tail -n 1
  for golden in golden/{caduceus_ps,mamba_lm,s4d_lm,s4_lm}; do
    [[ -d $golden ]] || continue
    for program in memcheck racecheck; do
      printf '%s %s: ' "$golden" "$program"
      compute-sanitizer --tool $program ./ssmgen selftest --device cuda --golden "$golden" | tail -n 1
    done
  done
}

# On the card as far as it goes, and with the activations in host memory: 1,100 MB of the card hold
# no stream, so that the same plan runs whatever the length.
long() {
  unpack
  local once="--dtype bf16 --shape ps-d256x16 --repeats 1 --no-warm-up" length
  # shellcheck disable=SC2086
  {
    for length in 22 24 26; do
      bench $once --length $((1 << length)) --device-memory 1100M
    done
    bench $once --length $((1 << 26))
    bench $once --length $((1 << 26)) --device-memory 24G
    bench $once --length 248956422 # chromosome 1
  }
}

# The extension module is compiled there for that machine's Python; libraries of its own win over
# those that came along, since PyTorch needs them.
python() {
  unpack
  local source=$1
  rm -f lib/libstdc++* lib/libgcc_s* lib/libgomp*
  mkdir -p python/ssmgen objects
  cp "$source"/bindings/python/ssmgen/*.py python/ssmgen/
  find "$source/bindings/python/src" -name '*.cpp' -print0 |
    xargs -0 -P 8 -I{} sh -c "g++ -std=c++20 -O1 -fPIC -fvisibility=hidden $(python3 -m pybind11 --includes | xargs) \
      -I '$source/libssmgen/include' -c '{}' -o objects/\$(basename '{}').o"
  g++ -shared objects/*.o -Llib -l:libssmgen.so.0 -o python/ssmgen/_core.so
  PYTHONPATH=$PWD/python python3 -m pytest -q -p no:cacheprovider \
    "$source/bindings/python/tests/test_cuda.py"
}

case "${1:-}" in
  all) all "${2:-}" ;;
  pack) pack "${2:?a build folder}" "${3:?a folder to fill}" ;;
  run) run ;;
  long) long ;;
  python) python "$(realpath "${2:?the source tree}")" ;;
  *) sed -n '2,11s/^# *//p' "$0"; exit 2 ;;
esac
