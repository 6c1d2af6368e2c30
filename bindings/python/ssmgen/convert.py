"""PyTorch weights to safetensors, without PyTorch.

    python -m ssmgen.convert DIR                  # beside the .bin, so that ssmgen can load DIR
    python -m ssmgen.convert DIR_OR_FILE OUT_DIR

Reads `.bin`, `.pt`, `.pth` and `.ckpt` files that hold tensors in plain containers, one file or
shards with their index, and writes `model.safetensors`, or shards with an index. A checkpoint is a
pickle, which may run code when it is loaded as Python does; here nothing but tensors, dicts, lists
and numbers is made, and a file that asks for anything else is refused with the name it asks for.

Tensors keep their dtype and bytes. One that several names share is stored once, under the first of
them; the others stand in the file's `__metadata__` with the name that serves them.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import struct
import sys
from collections.abc import Callable, Sequence

from ssmgen._torch_file import StoredTensor, TorchFile
from ssmgen.errors import FormatError

__all__ = ["convert", "main"]

_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")
# Files of a training run that hold no weights.
_OTHERS = {"training_args.bin", "optimizer.pt", "scheduler.pt", "optimizer.bin", "scheduler.bin"}
_INDEX = "pytorch_model.bin.index.json"
_OUT, _OUT_INDEX = "model.safetensors", "model.safetensors.index.json"

PathText = str | os.PathLike[str]


def convert(
    source: PathText,
    output: PathText | None = None,
    *,
    overwrite: bool = False,
    strip_prefix: str = "",
    say: Callable[[str], None] = lambda text: None,
) -> list[pathlib.Path]:
    """Converts a checkpoint and returns the weight files written, an index last.

    source: a directory with `pytorch_model.bin`, with shards and their index, or with a single
        `.bin`, `.pt`, `.pth` or `.ckpt` file; or such a file; or an index.
    output: a directory, made when it is missing; None for that of the source. The small files
        beside the weights (config.json, tokenizer) are copied into it.
    overwrite: replace weights that are there already.
    strip_prefix: taken off every tensor's name, as "model." of a Lightning checkpoint.
    say: called with a line of text for each file written.

    Raises FormatError naming the file for one that is damaged or holds more than tensors,
    ValueError for arguments that do not fit, OSError as the system does.
    """
    weights, index = _find(pathlib.Path(source))
    folder = pathlib.Path(output) if output is not None else weights[0].parent
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"'{folder}' is a file: the output is a directory")
    if len(weights) == 1 and index is None:
        names = [_OUT]
    else:
        count = len(weights)
        names = [f"model-{i:05}-of-{count:05}.safetensors" for i in range(1, count + 1)]
    for name in (_OUT, _OUT_INDEX):
        if (folder / name).exists() and not overwrite:
            raise ValueError(f"'{folder / name}' is there already: remove it, or ask to overwrite")
    folder.mkdir(parents=True, exist_ok=True)

    parts: list[tuple[pathlib.Path, pathlib.Path]] = []
    weight_map: dict[str, str] = {}
    total = 0
    try:
        for path, name in zip(weights, names):
            part = folder / f"{name}.part"
            parts.append((part, folder / name))
            wanted = None
            if index is not None:
                wanted = {key for key, at in index.items() if at == path.name}
            kept, shared = _convert_file(path, part, strip_prefix, wanted)
            for key in kept:
                if key in weight_map:
                    raise FormatError(f"'{path}' has the tensor '{key}' of another shard once more")
                weight_map[key] = name
            total += sum(kept.values())
            say(
                f"{path} -> {folder / name}: {len(kept)} tensors, {sum(kept.values()):,} bytes"
                + (f", {shared} more names share them" if shared else "")
            )
        if index is not None:
            part = folder / f"{_OUT_INDEX}.part"
            parts.append((part, folder / _OUT_INDEX))
            text = {"metadata": {"total_size": total}, "weight_map": weight_map}
            part.write_text(json.dumps(text, indent=2) + "\n")
    except BaseException:
        for part, _ in parts:
            part.unlink(missing_ok=True)
        raise
    _copy_small_files(weights[0].parent, folder)
    for part, final in parts:
        part.replace(final)
    # A loader takes the single file before an index, so one of another conversion must not stay.
    (folder / (_OUT if index is not None else _OUT_INDEX)).unlink(missing_ok=True)
    return [final for _, final in parts]


def _find(source: pathlib.Path) -> tuple[list[pathlib.Path], dict[str, str] | None]:
    """The weight files, and of shards {tensor: file name}."""
    if not source.exists():
        raise ValueError(f"'{source}' does not exist")
    if source.is_dir():
        if (source / _INDEX).is_file():
            source = source / _INDEX
        elif (source / "pytorch_model.bin").is_file():
            return [source / "pytorch_model.bin"], None
        else:
            found = sorted(
                path
                for path in source.iterdir()
                if path.suffix in _SUFFIXES and path.name not in _OTHERS and path.is_file()
            )
            if not found:
                raise ValueError(f"'{source}' has no weights of PyTorch ({', '.join(_SUFFIXES)})")
            if len(found) > 1:
                names = ", ".join(path.name for path in found)
                raise ValueError(f"'{source}' has several files, name the one to convert: {names}")
            return found, None
    if source.name.endswith(".index.json"):
        index = _read_index(source)
        return [source.parent / name for name in sorted(set(index.values()))], index
    if source.suffix not in _SUFFIXES:
        raise ValueError(f"'{source}' is none of {', '.join(_SUFFIXES)}")
    return [source], None


def _read_index(path: pathlib.Path) -> dict[str, str]:
    try:
        index = json.loads(path.read_text())["weight_map"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FormatError(f"'{path}' is no index of shards: JSON with a weight_map") from None
    if not isinstance(index, dict) or not index:
        raise FormatError(f"'{path}' has an empty weight_map")
    for name in index.values():
        if not isinstance(name, str) or pathlib.PurePath(name).name != name:
            raise FormatError(f"'{path}' names the shard {name!r}: expected a file beside it")
        if not (path.parent / name).is_file():
            raise FormatError(f"'{path}' names the shard '{name}', which is not there")
    return index


def _convert_file(
    path: pathlib.Path, part: pathlib.Path, strip_prefix: str, wanted: set[str] | None
) -> tuple[dict[str, int], int]:
    """Writes one file; {name: bytes} of the tensors in it, and how many more names share them."""
    source = TorchFile(path)
    try:
        found = set(source.tensors)
        if wanted is not None and wanted != found:
            odd = sorted(wanted ^ found)[0]
            where = "the index alone" if odd in wanted else "the shard alone"
            raise FormatError(f"'{path}' and its index differ: the tensor '{odd}' is in {where}")
        kept: dict[str, StoredTensor] = {}
        metadata: dict[str, str] = {"format": "pt"}
        first: dict[StoredTensor, str] = {}
        for full_name, tensor in source.tensors.items():
            name = full_name.removeprefix(strip_prefix)
            if name in kept or name in metadata or name in ("", "__metadata__"):
                raise FormatError(
                    f"'{path}' has a tensor '{full_name}': '{name}' cannot be its name"
                )
            if tensor.byte_count and tensor in first:
                metadata[name] = first[tensor]
                continue
            first[tensor] = name
            kept[name] = tensor
        _write(part, kept, metadata, source)
    finally:
        source.close()
    return {name: tensor.byte_count for name, tensor in kept.items()}, len(metadata) - 1


def _write(
    part: pathlib.Path,
    tensors: dict[str, StoredTensor],
    metadata: dict[str, str],
    source: TorchFile,
) -> None:
    header: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + tensor.byte_count
        header[name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the data starts on a multiple of 8
    with open(part, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            out.write(source.tensor_bytes(tensor))


def _copy_small_files(source: pathlib.Path, target: pathlib.Path) -> None:
    if source.resolve() == target.resolve():
        return
    for path in source.iterdir():
        is_small = path.suffix in (".json", ".txt") and not path.name.endswith(".index.json")
        if is_small and path.is_file() and not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0, 1 for a file that is refused or 2 for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m ssmgen.convert",
        description="PyTorch weights (.bin, .pt, .pth, .ckpt) to safetensors, without PyTorch.",
        epilog="example: python -m ssmgen.convert caduceus-ph converted",
    )
    parser.add_argument("source", metavar="IN", help="directory or file of weights, or an index")
    parser.add_argument(
        "output", metavar="OUT_DIR", nargs="?", help="directory to write to (default: that of IN)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace converted weights")
    parser.add_argument("--strip-prefix", default="", help='taken off names, as "model."')
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing of what was done")
    given = parser.parse_args(arguments)

    def say(text: str) -> None:
        if not given.quiet:
            print(f"ssmgen.convert: {text}", file=sys.stderr)

    try:
        convert(
            given.source,
            given.output,
            overwrite=given.overwrite,
            strip_prefix=given.strip_prefix,
            say=say,
        )
    except ValueError as error:
        print(f"ssmgen.convert: error: {error}", file=sys.stderr)
        return 2
    except (FormatError, OSError) as error:
        print(f"ssmgen.convert: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
