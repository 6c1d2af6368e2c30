#!/usr/bin/env bash
# Installs a wheel into a fresh venv in a folder of its own and scores a copy of the bundled VCF
# there, with nothing of this checkout in reach. numpy comes from the package index.
# Where the build has the CUDA plugin it is laid beside the library, and must be found there.
#   check_wheel.sh WHEEL [PLUGIN]
set -euo pipefail

wheel=$(realpath "$1")
plugin=$(realpath -m "${2:-/nowhere}")
test_data=$(realpath "$(dirname "$0")/../../test_data")
away=$(mktemp -d)
trap 'rm -rf "$away"' EXIT

cp -r "$test_data/models/ecoli-caduceus-ps" "$away/model"
cp "$test_data/genome/demo.fa" "$test_data/variants/demo.vcf" "$test_data/expected/demo.tsv" "$away"
/usr/bin/python3 -m venv "$away/venv"
cd "$away"
env -u PYTHONPATH -u LD_LIBRARY_PATH venv/bin/python -m pip install --quiet \
  --disable-pip-version-check "$wheel"
env -i HOME="$away" PATH=/usr/bin:/bin venv/bin/python - <<'PYTHON'
import csv
import math
import pathlib
import re

import ssmgen

summary = ssmgen.score_vcf(ssmgen.load("model"), "demo.vcf", "demo.fa", "out.vcf")
expected = {
    (row["chrom"], row["pos"], row["ref"], row["alt"]): float(row["masked"])
    for row in csv.DictReader(open("demo.tsv"), delimiter="\t")
}
rows = [line.split("\t") for line in open("out.vcf") if not line.startswith("#")]
worst = 0.0
for chrom, pos, _, ref, alt, *_, info in rows:
    found = float(re.search(r"SSM_MASKED=([^;\s]+)", info).group(1))
    worst = max(worst, abs(found - expected[chrom, pos, ref, alt]))
assert summary.scored_alleles == len(rows) == len(expected) == 312, summary
assert math.isfinite(worst) and worst < 1e-3, worst

here = str(pathlib.Path.cwd().resolve())
mapped = {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}
grafted = sorted(path for path in mapped if re.search(r"/lib(ssmgen|hts|dnnl)[-.]", path))
assert len(grafted) == 3 and all(path.startswith(here) for path in grafted), grafted

# Each library that is inside has a licence beside it, and none is told of that is not.
[licences] = pathlib.Path(ssmgen.__file__).parent.parent.glob("ssmgen-*.dist-info/licenses")
table = list(csv.DictReader(open(licences / "bundled.tsv"), delimiter="\t"))
inside = {
    re.sub(r"-[0-9a-f]{8}", "", path.name)
    for path in pathlib.Path(ssmgen.__file__).parent.parent.glob("ssmgen.libs/*.so*")
}
told = {row["file"] for row in table} - {"-"}
assert {name.split(".so")[0] for name in inside} == {name.split(".so")[0] for name in told}, (
    inside ^ told
)
for row in table:
    assert len((licences / row["licence"]).read_text()) > 300, row
for name in ("LICENSE", "pybind11.txt", "common-licenses/LGPL-2.1"):
    assert (licences / name).stat().st_size > 1000, name
print(f"{len(inside)} libraries inside, each with its licence")
print(f"{len(rows)} variants scored by ssmgen {ssmgen.__version__}, at most {worst:.1e} off")
PYTHON

# The CUDA plugin is looked for beside the library, in the package.
asks_for_cuda() {
  env -i HOME="$away" PATH=/usr/bin:/bin venv/bin/python -c 'import ssmgen
try:
    print("loaded on", ssmgen.load("model", device="cuda").device)
except RuntimeError as error:
    print(error)'
}
package=$(venv/bin/python -c 'import pathlib, ssmgen; print(pathlib.Path(ssmgen.__file__).parent)')
asks_for_cuda | grep -F "it was looked for in $package and where"
echo 'int nothing;' | cc -shared -x c -o "$package/libssmgen_cuda.so" -
asks_for_cuda | grep -F "is not the CUDA plugin of this ssmgen"
if [[ -f $plugin ]]; then
  cp "$plugin" "$package/libssmgen_cuda.so"
  asks_for_cuda | grep -E "loaded on cuda:0|device cuda:0 .* driver|CUDA: "
fi
