"""What a model is called, and what its units are known to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm.address import Address
    from lstm.model import Model


def named(model: Model) -> str:
    """Name a model, and what is changed in it on the way."""
    return ", ".join([model.card.source, *(f"with {change}" for change in model.changes)])


def tells(model: Model, place: Address) -> str | None:
    """Say what a unit is known to tell, whichever of its quantities the place is.

    An input has no unit, and a projected hidden state is that of no one cell.
    """
    cell = model.parameters.layers[place.layer].directions[place.direction]
    mixed = place.symbol == "h" and cell.variant.projection is not None
    if place.symbol == "x" or mixed or not isinstance(place.units, int):
        return None
    known = model.card.named(place.layer, place.direction, place.units)
    return None if known is None else known.tells
