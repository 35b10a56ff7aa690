"""How a port names what it records."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from lstm.analysis.recording import Place
from lstm.errors import LSTMError

NONE: Mapping[Place, str] = MappingProxyType({})


class PortNames(NamedTuple):
    """What the arrays or columns of a port are called.

    `places` gives the name for a quantity; `raw` is the one quantity of a file of bare numbers,
    `shape` that file's shape, (T, W) or (N, T, W); `time_first` says that three axes are
    (T, N, W) instead.
    """

    places: Mapping[Place, str] = NONE
    raw: Place | None = None
    shape: tuple[int, ...] | None = None
    time_first: bool = False

    @property
    def is_given(self) -> bool:
        return bool(self.places) or self.raw is not None or self.time_first

    @property
    def bare(self) -> PortNames:
        """The same for a file whose only array has no name."""
        return self._replace(places={} if self.raw is None else {self.raw: ""})

    def among(self, names: list[str]) -> dict[Place, str]:
        """Return where these names belong: as told, else those that are quantities themselves.

        Raises:
            LSTMError: a name that is told is not among them.
        """
        if self.places:
            for name in self.places.values():
                if name not in names:
                    raise LSTMError(f"--map: expected one of {', '.join(names)}; found {name!r}.")
            return dict(self.places)
        found = {place: name for name in names if (place := _place(name)) is not None}
        if not found:
            shown = ", ".join(names[:6]) + (", ..." if names[6:] else "")
            raise LSTMError(
                f"expected names of quantities, found {shown}. Say which is which: "
                "--map hidden=NAME,cell=NAME."
            )
        return found


def _place(name: str) -> Place | None:
    try:
        return Place.parse(name)
    except LSTMError:
        return None


def are_places(names: list[str]) -> bool:
    """Whether all names are those of quantities, or their places.

    >>> are_places(["hidden", "l1.c"]), are_places(["weight", "hidden"]), are_places([])
    (True, False, False)
    """
    return bool(names) and all(_place(name) is not None for name in names)
