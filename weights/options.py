"""What a file does not tell and the user may: the order of the gates, a forget bias, clips."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from lstm.errors import LSTMError
from lstm.quantities import LETTERS
from weights.archive import Archive
from weights.errors import WeightsError
from weights.layouts.found import FoundLSTM
from weights.layouts.layout import BLOCKS, REVERSE, Layout

GATE_ACTIVATIONS = ("sigmoid", "hard-sigmoid", "keras3-hard-sigmoid")
CONCATENATIONS = ("hx", "xh")
LARGEST = 3.4028234663852886e38  # that float32 holds


class CellOptions(NamedTuple):
    """Options for reading a cell; None leaves the layout's own.

    `gate_order` is four letters such as `ifgo`; `concatenation` says whether the hidden state
    or the input comes first where both meet one matrix; `coupled` makes the forget gate
    1 - input gate; `residual` adds what a layer reads to what it hands on, from layer 1 on.
    """

    gate_order: str | None = None
    forget_bias: float | None = None
    gate_activation: str | None = None
    pre_activation_clip: float | None = None
    cell_clip: float | None = None
    projection_clip: float | None = None
    concatenation: str | None = None
    coupled: bool | None = None
    residual: bool | None = None

    @property
    def given(self) -> set[str]:
        """The names of the options that are given."""
        return {name for name in self._fields if getattr(self, name) is not None}


def apply(layout: Layout, options: CellOptions) -> Layout:
    """Return the layout as the options have it.

    Raises:
        LSTMError: an option has no effect on this layout, or no such value.
    """
    layout = _ordered(layout, options.gate_order)
    layout = _concatenated(layout, options.concatenation)
    if options.forget_bias is not None:
        if not abs(options.forget_bias) <= LARGEST:
            raise LSTMError(
                f"--forget-bias: expected a number that float32 holds, found {options.forget_bias}."
            )
        layout = replace(layout, forget_bias=options.forget_bias)
    variant: dict[str, Any] = dict(layout.variant)
    for name in ("gate_activation", "pre_activation_clip", "cell_clip", "projection_clip"):
        if (value := getattr(options, name)) is not None:
            variant[name] = value
            variant.pop(f"{REVERSE}{name}", None)
    if options.coupled:
        variant.setdefault("coupled", "forget")
    if options.residual is not None:
        layout = replace(layout, residual=options.residual)
    return replace(layout, variant=variant) if variant else layout


def told_variant(archive: Archive, lstm: FoundLSTM) -> Mapping[str, Any]:
    """Return what a file says of an LSTM's cells beside their weights, as fields of a Variant.

    Raises:
        WeightsError: it says different things of the layers.
    """
    folders = {name.rpartition("/")[0] for name in lstm.names}
    places = sorted(folders & archive.variants.keys())
    found = [archive.variants[place] for place in places]
    if any(variant != found[0] for variant in found):
        raise WeightsError(
            f"{', '.join(places)}: expected one kind of cell in all layers, found different "
            "activations, clips or couplings. Choose one with --prefix."
        )
    return found[0] if found else archive.variant


def assumptions(
    found: FoundLSTM, options: CellOptions, told: Collection[str] = ()
) -> tuple[str, ...]:
    """Say what is assumed of an LSTM in this layout because no option tells it.

    Args:
        found: the LSTM, with its layout.
        options: what the user tells.
        told: the names of what the file tells beside its weights.
    """
    return tuple(
        f"{name.replace('_', ' ')}: {what} ({_flag(name)})"
        for name, what in found.layout.assumed.items()
        if name not in options.given and name not in told and (name != "residual" or found.residual)
    )


def _flag(name: str) -> str:
    return "--no-residual" if name == "residual" else f"--{name.replace('_', '-')}"


def _ordered(layout: Layout, order: str | None) -> Layout:
    if order is None:
        return layout
    if sorted(order) != sorted(LETTERS):
        raise LSTMError(f"--gate-order: expected the letters i, f, g and o, found {order!r}.")
    if "(?P<gate>" in layout.kinds[0].pattern:
        raise LSTMError(f"--gate-order: {layout.name} has a tensor per gate, in no order.")
    if sorted(layout.order) != sorted(order):
        own = ", ".join(BLOCKS[letter] for letter in layout.order)
        raise LSTMError(f"--gate-order: {layout.name} has other blocks: {own}. Leave it out.")
    return replace(layout, order=order)


def _concatenated(layout: Layout, concatenation: str | None) -> Layout:
    if concatenation is None:
        return layout
    if concatenation not in CONCATENATIONS:
        raise LSTMError(f"--concatenation: expected hx or xh, found {concatenation!r}.")
    if layout.kinds[0].part not in CONCATENATIONS:
        raise LSTMError(f"--concatenation: {layout.name} keeps input and hidden state apart.")
    first, *others = layout.kinds
    return replace(layout, kinds=(first._replace(part=concatenation), *others))
