#!/usr/bin/env bash
# Takes a build to a GPU machine that has none of its libraries, and checks and times it there.
#   tests/bench/device.sh pack BUILD_DIR FOLDER   here: binaries and the libraries they need
#   FOLDER/device.sh run                          there: tests, timings, sanitizers, one table
#   FOLDER/device.sh long                         there: lengths up to a chromosome's, minutes
# Goldens in FOLDER/golden are run too, and a VCF over FOLDER/genome.fa scored, where they are.
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
  rm -r "$folder/lib"
  cp "$0" "$(dirname "$0")/random_checkpoint.py" "$folder/"
}

unpack() {
  cd "$(dirname "$0")"
  tar -xzf lib.tar.gz
  export LD_LIBRARY_PATH=$PWD/lib
}

# One line: what, seconds of the fastest pass, bases a second, the most memory of card and host.
bench() {
  printf '%-74s' "$*"
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

run() {
  unpack
  local program golden length
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
  for length in 14 16 18 20 22 24; do
    bench --dtype bf16 --shape ps-d256x16 --length $((1 << length)) --repeats 1
  done
  if [[ -f genome.fa ]]; then
    score 384 20
    score 1024 32
  fi
  # Last, for racecheck takes minutes.
  compute-sanitizer --tool memcheck ./test_kernels --gtest_filter='Cuda/*:*cuda*' | tail -n 1
  compute-sanitizer --tool racecheck ./test_kernels --gtest_filter='Cuda/*' | tail -n 1
}

# On the card as far as it goes, and with the activations in host memory.
long() {
  unpack
  local once="--dtype bf16 --shape ps-d256x16 --repeats 1 --no-warm-up"
  # shellcheck disable=SC2086
  {
    bench $once --length 248956422 # chromosome 1
    bench $once --length $((1 << 26))
    bench $once --length $((1 << 26)) --device-memory 24G
    bench $once --length $((1 << 26)) --device-memory 4G
    bench $once --length $((1 << 24)) --device-memory 4G
  }
}

case "${1:-}" in
  pack) pack "${2:?a build folder}" "${3:?a folder to fill}" ;;
  run) run ;;
  long) long ;;
  *) sed -n '2,6s/^# *//p' "$0"; exit 2 ;;
esac
