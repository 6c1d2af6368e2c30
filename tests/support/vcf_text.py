"""A VCF as plain text, so that a test sees the very bytes that were written."""

import gzip
import pathlib
from dataclasses import dataclass, field


@dataclass
class Record:
    columns: list
    info: dict = field(default_factory=dict)

    @property
    def site(self):
        """(contig, 1-based position, REF, ALT)"""
        return self.columns[0], int(self.columns[1]), self.columns[3], self.columns[4]

    @property
    def sample_columns(self):
        """FORMAT and the samples, as they stand."""
        return self.columns[8:]

    def values(self, key):
        """The Number=A values of an INFO field: a float for each ALT, None where missing."""
        return [None if value == "." else float(value) for value in self.info[key].split(",")]


def parse_vcf(text):
    """(header lines, records)"""
    header, records = [], []
    for line in text.splitlines():
        if line.startswith("#"):
            header.append(line)
            continue
        columns = line.split("\t")
        fields = [] if columns[7] == "." else columns[7].split(";")
        records.append(Record(columns, dict(entry.partition("=")[::2] for entry in fields)))
    return header, records


def read_vcf(path):
    raw = pathlib.Path(path).read_bytes()
    return parse_vcf((gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode())
