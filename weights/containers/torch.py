"""PyTorch's files, through torch with weights_only: no code in them is ever run."""

from __future__ import annotations

import pickle
import pickletools
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import info_of, lazy_archive
from weights.documents import DEEPEST
from weights.errors import UnreadableFileError
from weights.files import require_file
from weights.zipped import opened

MAX_PICKLE = 1 << 24  # bytes; the pickles of an old file stand before its numbers
MAX_TEXT = 20_000  # letters
DAMAGED = (
    pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError, IndexError, TypeError,
    AttributeError, AssertionError, struct.error, OverflowError, MemoryError,
)  # fmt: skip
# What torch names where a file holds more than tensors.
_GLOBAL = re.compile(r"GLOBAL (\S+)")


def open_torch(path: Path) -> Archive:
    """Read the tensors of a checkpoint; those in nested dictionaries get dotted names.

    Raises:
        MissingExtraError: torch is not installed.
        UnreadableFileError: torch refuses the file; the message names what it refuses.
        UnreadableFileError: a tensor has a shape but no numbers (the device `meta`).
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", "torch", f"a {path.suffix} file") from None
    told = require_file(path)
    content = _content(torch, path)
    named = dict(_tensors(torch, "", content))
    for wrapper in ("state_dict.", "model_state_dict.", "model."):
        inner = {n.removeprefix(wrapper): t for n, t in named.items() if n.startswith(wrapper)}
        if wrapper != "model." and inner:
            named = inner
    infos = {
        name: info_of(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in named.items()
    }
    return lazy_archive(path, told, infos, {}, lambda name: _array(torch, named[name]))


def _content(torch: Any, path: Path) -> Any:
    """What torch makes of a file; its reader of pickles trips over damage in many ways."""
    try:
        for pickled in _pickles(path):
            _refuse_long_texts(pickled)
        with warnings.catch_warnings(action="ignore"):  # of a file that is refused all the same
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except DAMAGED as error:
        raise UnreadableFileError(_reason(error)) from None


def _pickles(path: Path) -> list[bytes]:
    """What says which tensors there are: a member of an archive, or the start of an old file."""
    with path.open("rb") as file:
        start = file.read(MAX_PICKLE)
    if not start.startswith(b"PK\x03\x04"):
        return [start]
    with opened(path) as archive:
        return [archive.read(n) for n in archive.namelist() if n.endswith("data.pkl")]


def _refuse_long_texts(pickled: bytes) -> None:
    """Look at the opcodes, which runs none of them.

    torch searches its own messages, which quote texts, in a time that grows with their square.
    """
    stream = BytesIO(pickled)
    try:
        while stream.tell() < len(pickled):
            for _, argument, _ in pickletools.genops(stream):
                if isinstance(argument, str | bytes) and len(argument) > MAX_TEXT:
                    raise UnreadableFileError(
                        f"expected texts of at most {MAX_TEXT} letters, found {len(argument)}. "
                        "Save the model's state_dict() in its place."
                    )
    except ValueError:  # the end of the pickles, or damage, of which torch says more
        return


def _reason(error: Exception) -> str:
    """Say why torch refuses a file, without its advice to load the file all the same."""
    text = str(error)
    if found := _GLOBAL.search(text):
        return (
            f"torch refuses it: expected tensors alone, found {found[1]}, which is code. Save the "
            "model's state_dict() in its place."
        )
    if "TorchScript" in text:
        return (
            "torch refuses it: expected tensors alone, found a TorchScript program. Save the "
            "state_dict() of what torch.jit.load makes of it."
        )
    return (
        "torch refuses it: expected what torch.save writes, found a file that is damaged or of "
        "another kind. Save it again."
    )


def _tensors(torch: Any, prefix: str, content: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every dense tensor, named by its path."""
    if depth > DEEPEST:
        raise UnreadableFileError(f"expected at most {DEEPEST} levels of dictionaries, found more.")
    if isinstance(content, torch.Tensor) and content.layout == torch.strided:
        if content.is_meta:
            raise UnreadableFileError(f"{prefix}: expected numbers, found a shape alone (meta).")
        claimed, stored = (
            content.numel() * content.element_size(),
            content.untyped_storage().nbytes(),
        )
        if claimed > stored:
            raise UnreadableFileError(
                f"{prefix}: expected at most {stored} bytes, as are stored, found a claim of "
                f"{claimed}."
            )
        yield prefix or "tensor", content.detach()
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from _tensors(
                torch, f"{prefix}.{name}" if prefix else str(name), value, depth + 1
            )


def _array(torch: Any, tensor: Any) -> Any:
    """A numpy array of a tensor; bfloat16, which numpy lacks, in float32, which holds it."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy()
