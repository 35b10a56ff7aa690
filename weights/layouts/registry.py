"""The layouts that are read, one line each."""

from __future__ import annotations

from weights.layouts.layout import Layout
from weights.layouts.native import NATIVE
from weights.layouts.pytorch import PYTORCH, PYTORCH_CELL
from weights.layouts.textbook import TEXTBOOK

LAYOUTS: tuple[Layout, ...] = (
    NATIVE,
    PYTORCH,
    PYTORCH_CELL,
    TEXTBOOK,
)
NAMES = tuple(layout.name for layout in LAYOUTS)
