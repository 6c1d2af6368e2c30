#!/usr/bin/env python3
"""Gathers the licences of what a wheel holds beside ssmgen's own code.

collect_licences.py LIBRARY PYBIND11_LICENCE OUT_DIR

Of every library that LIBRARY links to, but for those that each Linux of the wheel's tag has: what
its Debian package says of copyright, the licences that this refers to, and a line in bundled.tsv.
"""

import pathlib
import re
import shutil
import subprocess
import sys

# What a manylinux wheel takes from the machine (auditwheel's list, as far as it is met here).
OF_THE_MACHINE = re.compile(
    r"(linux-vdso|ld-linux-x86-64|lib(c|m|dl|rt|pthread|resolv|stdc\+\+|gcc_s|z))\.so.*"
)
# Compiled in, so that no library tells of them.
HEADERS_OF = ("nlohmann-json3-dev",)
COMMON = pathlib.Path("/usr/share/common-licenses")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def libraries(library):
    """{name that is loaded: file} of all that a library needs."""
    found = re.findall(r"^\s*(\S+) => (/\S+)", output("ldd", library), re.MULTILINE)
    return {name: path for name, path in found if not OF_THE_MACHINE.fullmatch(name)}


def package_of(path):
    """dpkg knows a file by the path that it was packed with, /usr/lib or /lib."""
    real = str(pathlib.Path(path).resolve())
    for form in (real, real.removeprefix("/usr"), path):
        done = subprocess.run(["dpkg-query", "-S", form], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    sys.exit(f"collect_licences: {path} is of no Debian package: its licence is not known")


def main():
    library, pybind11, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    shutil.rmtree(out, ignore_errors=True)
    (out / "common-licenses").mkdir(parents=True)
    shutil.copy(pathlib.Path(__file__).resolve().parents[2] / "LICENSE", out / "LICENSE")
    shutil.copy(pybind11, out / "pybind11.txt")
    packages = {name: package_of(path) for name, path in libraries(library).items()}
    lines = ["file\tpackage\tversion\tlicence"]
    for name, package in sorted([*packages.items(), *(("-", name) for name in HEADERS_OF)]):
        version = output("dpkg-query", "-W", "-f=${Version}", package)
        copyright_of = pathlib.Path("/usr/share/doc", package, "copyright")
        text = copyright_of.read_text(encoding="utf-8", errors="replace")
        (out / f"{package}.txt").write_text(text, encoding="utf-8")
        lines.append(f"{name}\t{package}\t{version}\t{package}.txt")
        for licence in re.findall(rf"{COMMON}/([A-Za-z0-9.+-]*[A-Za-z0-9])", text):
            if (COMMON / licence).is_file():
                shutil.copyfile(COMMON / licence, out / "common-licenses" / licence)
    (out / "bundled.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
