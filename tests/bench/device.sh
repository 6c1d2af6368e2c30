#!/usr/bin/env bash
# Takes a build to a GPU machine that has none of its libraries, and checks and times it there.
#   tests/bench/device.sh pack BUILD_DIR FOLDER   here: binaries and the libraries they need
#   FOLDER/device.sh run                          there: tests, sanitizers, timings, one table
# Goldens in FOLDER/golden are run too.
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
  cp "$0" "$folder/device.sh"
}

# One line: what, seconds of the fastest pass, the most memory of the card in use.
bench() {
  printf '%-62s' "$*"
  ./ssmgen bench --device cuda "$@" |
    awk '/  seconds/ {s = $2} /peak device/ {m = $4 " " $5} END {print s " s  " m}'
}

run() {
  cd "$(dirname "$0")"
  tar -xzf lib.tar.gz
  export LD_LIBRARY_PATH=$PWD/lib
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
  # Last, for racecheck takes minutes.
  compute-sanitizer --tool memcheck ./test_kernels --gtest_filter='Cuda/*:*cuda*' | tail -n 1
  compute-sanitizer --tool racecheck ./test_kernels --gtest_filter='Cuda/*' | tail -n 1
}

case "${1:-}" in
  pack) pack "${2:?a build folder}" "${3:?a folder to fill}" ;;
  run) run ;;
  *) sed -n '2,5s/^# *//p' "$0"; exit 2 ;;
esac
