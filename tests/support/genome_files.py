"""Small genomes, variants and models for a test to write, whole or damaged."""

import pathlib
import random
import shutil
import struct
import zlib

from make_goldens import read_safetensors, write_safetensors

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def bgzf_block(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


def bgzf_blocks(data, block_bytes=4096):
    """The blocks of a bgzip file, without its end marker."""
    return [bgzf_block(data[at : at + block_bytes]) for at in range(0, len(data), block_bytes)]


def bgzf(data, block_bytes=4096):
    return b"".join(bgzf_blocks(data, block_bytes)) + BGZF_END


def random_bases(length, seed):
    return "".join(random.Random(seed).choices("ACGT", k=length))


def fasta_text(contigs, width=60):
    """`contigs` is {name: bases}."""
    lines = []
    for name, bases in contigs.items():
        lines.append(f">{name}")
        lines += [bases[at : at + width] for at in range(0, len(bases), width)]
    return "\n".join(lines) + "\n"


def other_base(base):
    return "CGTA"["ACGT".index(base.upper())]


def vcf_text(records, contigs=None, lines=(), samples=()):
    """A VCF of (contig, 1-based position, REF, ALT) or (..., INFO, FORMAT, samples...) records.

    `contigs` is {name: bases or length}; none are declared without it.
    """
    header = ["##fileformat=VCFv4.2"]
    for name, bases in (contigs or {}).items():
        length = bases if isinstance(bases, int) else len(bases)
        header.append(f"##contig=<ID={name},length={length}>")
    header += lines
    columns = "#CHROM POS ID REF ALT QUAL FILTER INFO".split()
    if samples:
        columns += ["FORMAT", *samples]
    header.append("\t".join(columns))
    for contig, position, ref, alt, *more in records:
        info, *rest = more or ["."]
        header.append("\t".join(map(str, [contig, position, ".", ref, alt, ".", ".", info, *rest])))
    return "\n".join(header) + "\n"


def snvs(contigs, count, name=None):
    """`count` records spread over a contig, REF as in the genome."""
    name = name or next(iter(contigs))
    bases = contigs[name]
    step = len(bases) // count
    return [(name, at + 1, bases[at], other_base(bases[at])) for at in range(0, count * step, step)]


def copy_model(source, target, config=None, tensors=None):
    """Copies a model directory; `config` and `tensors` are called with what is to be changed.

    `config` takes the text and returns another; `tensors` edits {name: (dtype, shape, bytes)}.
    """
    source, target = pathlib.Path(source), pathlib.Path(target)
    target.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(source / name, target / name)
    if config is not None:
        (target / "config.json").write_text(config((target / "config.json").read_text()))
    if tensors is not None:
        stored = dict(read_safetensors(target / "model.safetensors"))
        tensors(stored)
        write_safetensors(target / "model.safetensors", stored)
    return target
