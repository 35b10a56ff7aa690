"""Weight files to parameters and back: `load` and `save`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weights.loading import load
    from weights.saving import save

__all__ = ["load", "save"]


def __getattr__(name: str) -> Any:
    """Import numpy only when a file is read or written, not when its header is looked at."""
    if name == "load":
        from weights.loading import load

        return load
    if name == "save":
        from weights.saving import save

        return save
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
