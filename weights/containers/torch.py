"""PyTorch's files, through torch with weights_only: no code in them is ever run."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lstm.errors import MissingExtraError
from weights.archive import Archive
from weights.containers.arrays import archive_of
from weights.errors import UnreadableFileError


def open_torch(path: Path) -> Archive:
    """Read the tensors of a checkpoint; those in nested dictionaries get dotted names.

    Raises:
        MissingExtraError: torch is not installed.
        UnreadableFileError: torch refuses the file; the message names what it refuses.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch", "torch", f"a {path.suffix} file") from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UnreadableFileError(f"torch refuses it: {reason}") from None
    named = dict(_tensors(torch, "", content))
    for wrapper in ("state_dict.", "model_state_dict.", "model."):
        inner = {n.removeprefix(wrapper): t for n, t in named.items() if n.startswith(wrapper)}
        if wrapper != "model." and inner:
            named = inner
    return archive_of(path, named, {})


def _tensors(torch: Any, prefix: str, content: Any) -> Iterator[tuple[str, Any]]:
    """Yield every dense tensor as an array, named by its path."""
    if isinstance(content, torch.Tensor) and content.layout == torch.strided:
        yield prefix or "tensor", _array(torch, content.detach())
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from _tensors(torch, f"{prefix}.{name}" if prefix else str(name), value)


def _array(torch: Any, tensor: Any) -> Any:
    """A numpy array of a tensor; bfloat16, which numpy lacks, in float32, which holds it."""
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).contiguous().numpy()
