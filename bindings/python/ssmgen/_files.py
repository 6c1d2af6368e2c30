"""What works from file to file, and from a file of reads into memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from ssmgen import _core
from ssmgen._checks import byte_count, file_path, whole_number
from ssmgen._model import Model
from ssmgen._options import embed_settings, score_options
from ssmgen._progress import telling
from ssmgen._reads import ReadEmbeddings
from ssmgen._types import PathText, Progress, Told

_log = logging.getLogger("ssmgen")


def score_vcf(
    model: Model,
    input: PathText,
    fasta: PathText,
    output: PathText,
    *,
    modes: str | Sequence[str] = (),
    window: int = 0,
    edge: str = "shift",
    strand: str = "auto",
    check_ref: str = "warn",
    tag_prefix: str = "SSM",
    overwrite: bool = False,
    output_type: str = "",
    write_index: str = "",
    write_version: bool = True,
    regions: str = "",
    regions_file: PathText = "",
    regions_overlap: str = "1",
    targets: str = "",
    targets_file: PathText = "",
    targets_overlap: str = "0",
    batch: int = 0,
    progress: Progress = None,
) -> _core.ScoreSummary:
    """Scores a VCF or BCF file: the same records in the same order, with INFO fields SSM_MASKED,
    SSM_UNMASKED, SSM_CAUSAL and SSM_REASON. The words are those of `ssmgen score`.

    input: VCF or BCF; plain, bgzip or gzip.
    fasta: the reference genome, plain or bgzip.
    output: complete under its name when this returns; `.part` before.
    modes: of "masked", "unmasked", "causal"; none: masked, or causal for causal models.
    window: bases the model sees; 0: its maximum up to 8192, else 512.
    edge: "shift" or "pad", where the window would run past an end of the contig.
    strand: "auto", "plus", "minus" or "mean", for models that are not equivariant.
    check_ref: "warn", "skip" or "error", for a REF that is not in the FASTA.
    tag_prefix: of the INFO fields. overwrite: replace fields of the same names.
    output_type: "v", "z", "b" or "u" and a level; "": by suffix. write_index: "csi" or "tbi".
    regions, regions_file, targets, targets_file and their overlaps: as in bcftools.
    batch: windows a pass of the model; 0 chooses. Changes no bit.
    progress: called with {"records", "bytes_read", "bytes_total", "seconds"} a few times a second;
        what it raises stops the run. So does Ctrl-C. True: a bar of tqdm; False: nothing; None: a
        bar where tqdm is installed and standard error is a terminal.

    Raises ValueError for options that do not fit together or the model, FormatError naming file
    and record, RuntimeError for a failing device or disk.
    """
    options = score_options(modes, window, edge, strand, check_ref, batch)
    options.input, options.output = file_path(input, "input"), file_path(output, "output")
    options.fasta = os.fspath(fasta)
    options.tag_prefix, options.overwrite = tag_prefix, overwrite
    options.output_type, options.write_index = output_type, write_index
    options.write_version, options.command_line = write_version, "python: ssmgen.score_vcf"
    options.regions, options.regions_file = regions, os.fspath(regions_file)
    options.targets, options.targets_file = targets, os.fspath(targets_file)
    options.regions_overlap, options.targets_overlap = regions_overlap, targets_overlap
    options.io_threads = model.threads
    with telling(progress, "score_vcf", "bytes_read", "bytes_total", "B") as told:
        return _core.score_vcf(model._core, options, told, _log.info, _log.warning)


def embed_files(
    model: Model,
    input: PathText | None,
    output: PathText,
    *,
    fasta: PathText = "",
    bed: PathText = "",
    layer: int | str = "last",
    pool: str = "none",
    strand: str = "auto",
    window: int = 0,
    stride: int = 0,
    whole: bool = False,
    per_window: bool = False,
    skip_n: bool = False,
    batch: int = 0,
    scratch: PathText = "",
    regions: str = "",
    require_flags: str = "",
    exclude_flags: str = "",
    min_mapq: int = 0,
    orientation: str = "reference",
    output_type: str = "",
    chunk_rows: int = 0,
    max_output: int = 10_000_000_000,
    yes: bool = False,
    resume: bool = False,
    dry_run: bool = False,
    write_version: bool = True,
    plan: Told | None = None,
    progress: Progress = None,
) -> _core.EmbedSummary:
    """Embeds the records of a file into a file. The words are those of `ssmgen embed`.

    input: FASTA (plain, gzip, bgzip), SAM, BAM or CRAM; None with `bed`.
    output: NAME.npy, NAME.zarr or NAME.tsv, float32. Beside it stand NAME.tsv with a line a record
        and NAME.json with where the numbers come from.
    fasta, bed: the genome, and its regions to embed in place of an input.
    layer, pool, strand, window, stride, whole, skip_n, batch: as in Model.embed().
    per_window: pool each window by itself, one row a window.
    scratch: folder for rows that do not fit into memory; "": the system's.
    regions, require_flags, exclude_flags, min_mapq: -r, -f, -F and -q of samtools.
    orientation: "reference" or "sequenced", of reads on the reverse strand.
    chunk_rows: rows a chunk of Zarr; 0 chooses. resume: go on with a stopped Zarr.
    max_output: bytes that are written without `yes`. dry_run: plan, write nothing.
    plan: called once with what will be written (shape, output_bytes, files, ...).
    progress: called with {"records", "bases", "bases_total", "seconds"} a few times a second, or
        as in score_vcf(). What either raises stops the run. So does Ctrl-C.

    Raises ValueError for options that do not fit together, the model or max_output, FormatError
    naming file and record, RuntimeError for a failing device or disk.
    """
    settings = embed_settings(layer, pool, strand, window, stride, whole, skip_n, batch)
    settings.per_window, settings.scratch = per_window, os.fspath(scratch)
    options = _core.EmbedOptions()
    options.settings = settings
    options.input = "" if input is None else file_path(input, "input")
    options.output = file_path(output, "output")
    options.fasta, options.bed = os.fspath(fasta), os.fspath(bed)
    options.regions, options.min_mapq = regions, min_mapq
    options.require_flags, options.exclude_flags = require_flags, exclude_flags
    options.orientation, options.output_type = orientation, output_type
    options.chunk_rows, options.max_output_bytes, options.yes = chunk_rows, max_output, yes
    options.resume, options.dry_run, options.write_version = resume, dry_run, write_version
    options.command_line = "python: ssmgen.embed_files"
    options.io_threads = model.threads
    with telling(progress, "embed_files", "bases", "bases_total", "b") as told:
        return _core.embed_files(model._core, options, told, plan, _log.info, _log.warning)


def embed_bam(
    model: Model,
    input: PathText,
    *,
    fasta: PathText = "",
    regions: str = "",
    require_flags: int | str = "",
    exclude_flags: int | str = "",
    min_mapq: int = 0,
    orientation: str = "reference",
    layer: int | str = "last",
    pool: str = "mean",
    strand: str = "auto",
    window: int = 0,
    stride: int = 0,
    whole: bool = False,
    skip_n: bool = False,
    batch: int = 0,
    max_output: int | str = "10G",
    progress: Progress = None,
) -> ReadEmbeddings:
    """Pooled hidden states of the reads of a SAM, BAM or CRAM, in memory; the numbers of
    `ssmgen embed --pool`. embed_files() writes them, per base too, to a file.

    input: SAM, BAM or CRAM, told apart by content.
    fasta: the genome that a CRAM was made with.
    regions: reads that overlap these, as "chr1:1000-2000,chr2" (from 1, ends included); needs an
        index beside the file.
    require_flags, exclude_flags: reads with all, with none of these flags: -f and -F of samtools,
        as 0x904, "0x904" or "UNMAP,SECONDARY".
    min_mapq: reads of at least this mapping quality, 0 to 255.
    orientation: "reference", reads as the file stores them, along the reference; or "sequenced",
        those on the reverse strand as the machine read them.
    layer: "last" or N; pool: "mean", "max" or "center:K". With strand, window, stride, whole,
        skip_n and batch they are as in Model.embed().
    max_output: bytes that the rows may take, as a number or as "500M" or "10G"; 0 for no limit.
    progress: called with {"records", "bases", "bases_total", "seconds"} a few times a second, or
        as in score_vcf(). What it raises stops the run. So does Ctrl-C.

    Returns ReadEmbeddings: `values` is float32, (reads, channels), beside it what SAM says of each
    read. Reads without a sequence have no row; a read without a base to pool is NaN.

    Raises ValueError for options that do not fit together, the model or max_output, for flags and
    regions that cannot be read and for a file that holds no reads (a FASTA); FormatError, naming
    file and read, for one that is not there, truncated or damaged, has no index for `regions` or is
    a CRAM without its reference; RuntimeError when memory is short.
    """
    options = _core.EmbedOptions()
    options.settings = embed_settings(layer, pool, strand, window, stride, whole, skip_n, batch)
    options.input, options.fasta = file_path(input, "input"), os.fspath(fasta)
    options.regions, options.min_mapq = regions, whole_number(min_mapq, "min_mapq")
    options.require_flags, options.exclude_flags = str(require_flags), str(exclude_flags)
    options.orientation = orientation
    options.max_output_bytes = byte_count(max_output, "max_output")
    options.io_threads = model.threads
    with telling(progress, "embed_bam", "bases", "bases_total", "b") as told:
        values, columns, summary = _core.embed_reads(
            model._core, options, told, _log.info, _log.warning
        )
    facts = {
        "model": model.info.name,
        "layer": str(layer),
        "pool": pool,
        "strand": strand,
        "regions": regions,
        "require_flags": options.require_flags,
        "exclude_flags": options.exclude_flags,
        "min_mapq": str(min_mapq),
        "orientation": orientation,
    }
    return ReadEmbeddings(**columns, values=values, facts=facts, summary=summary)
