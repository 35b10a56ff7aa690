"""What the units of a model are known to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lstm.address import Address
    from lstm.model import Model


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
