"""CHANGELOG.md and CMakeLists.txt speak of the same version."""

import re


def test_the_newest_version_is_that_of_cmake(source_dir):
    changelog = (source_dir / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[([^\]]+)\]", changelog, re.M)
    versions = [name for name in headings if name != "Unreleased"]
    cmake = re.search(r"^  VERSION (\d+\.\d+\.\d+)$", (source_dir / "CMakeLists.txt").read_text(), re.M)
    assert versions and versions[0] == cmake.group(1)
