"""What is known about a model beside its numbers: origin, assumptions, units with a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from lstm.address import Address


class NamedUnit(NamedTuple):
    """A unit that was found to tell something.

    `auc` is how well its value alone separates the two cases on test data, 0.5 to 1; None for
    a unit that was built to tell it. `middle` is the value halfway between the two cases, and
    `scale` how far either lies from it on average; None where that was not measured.
    """

    address: Address
    tells: str
    auc: float | None = None
    middle: float = 0.0
    scale: float | None = None


class Card(NamedTuple):
    """Where a model came from and what had to be assumed to read it.

    `source` is the file or the name it was loaded from, `hashed` gives the hash of the file's
    bytes when somebody asks, `layout` is how it stores the weights, `quality` the figures its
    makers measured.
    """

    source: str = ""
    hashed: Callable[[], str] = str
    layout: str = ""
    assumed: tuple[str, ...] = ()
    description: str = ""
    licence: str = ""
    origin: str = ""
    units: tuple[NamedUnit, ...] = ()
    quality: Mapping[str, Any] = MappingProxyType({})

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes, in hexadecimal; empty where there is no file."""
        return self.hashed()

    def named(self, layer: int, direction: str, unit: int) -> NamedUnit | None:
        """Return what is known of a unit, by whichever of its quantities it was found."""
        place = (layer, direction, unit)
        for known in self.units:
            if (known.address.layer, known.address.direction, known.address.units) == place:
                return known
        return None
