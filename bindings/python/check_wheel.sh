#!/usr/bin/env bash
# Installs a wheel into a fresh venv in a folder of its own and scores a copy of the bundled VCF
# there, with nothing of this checkout in reach. numpy comes from the package index.
#   check_wheel.sh WHEEL
set -euo pipefail

wheel=$(realpath "$1")
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
print(f"{len(rows)} variants scored by ssmgen {ssmgen.__version__}, at most {worst:.1e} off")
PYTHON
