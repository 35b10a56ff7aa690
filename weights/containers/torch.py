"""PyTorch's files, through torch with weights_only: no code in them is ever run."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import info_of, lazy_archive
from weights.errors import UnreadableFileError

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
    try:
        with warnings.catch_warnings(action="ignore"):  # of a file that is refused all the same
            content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise UnreadableFileError(_reason(error)) from None
    named = dict(_tensors(torch, "", content))
    for wrapper in ("state_dict.", "model_state_dict.", "model."):
        inner = {n.removeprefix(wrapper): t for n, t in named.items() if n.startswith(wrapper)}
        if wrapper != "model." and inner:
            named = inner
    infos = {
        name: info_of(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in named.items()
    }
    return lazy_archive(path, infos, {}, lambda name: _array(torch, named[name]))


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


def _tensors(torch: Any, prefix: str, content: Any) -> Iterator[tuple[str, Any]]:
    """Yield every dense tensor, named by its path."""
    if isinstance(content, torch.Tensor) and content.layout == torch.strided:
        if content.is_meta:
            raise UnreadableFileError(f"{prefix}: expected numbers, found a shape alone (meta).")
        yield prefix or "tensor", content.detach()
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from _tensors(torch, f"{prefix}.{name}" if prefix else str(name), value)


def _array(torch: Any, tensor: Any) -> Any:
    """A numpy array of a tensor; bfloat16, which numpy lacks, in float32, which holds it."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy()
