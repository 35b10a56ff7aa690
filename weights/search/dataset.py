"""What a dataset of `lstm extract` holds: layers, directions, quantities, units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import orjson

from lstm.address import Address
from lstm.errors import LSTMError
from lstm.pattern import Pattern, PatternError
from lstm.quantities import BY_NAME, DIRECTIONS
from weights.corpus.dataset import MANIFEST, SCHEMA
from weights.errors import UnreadableFileError
from weights.search.database import Database

PARTS = "part-*.parquet"
KEYS = ("sequence", "step", "token", "layer", "direction")
_MOST_CELLS = 1024  # layers times directions of any model


@dataclass(frozen=True)
class Dataset:
    """A dataset, and what its rows hold.

    Args:
        path: its folder.
        database: its part files.
        units: the numbers of the units whose values are kept, in order; None: of all.
        widths: how many values each quantity has in each layer and direction, which stand in the
            order in which a step's rows do.
        is_finished: whether all of the corpus is in it.
    """

    path: Path
    database: Database
    units: Sequence[int] | None
    widths: Mapping[tuple[int, str], Mapping[str, int]]
    is_finished: bool = True

    @property
    def cells(self) -> list[tuple[int, str]]:
        return list(self.widths)

    def check(self, pattern: Pattern[Any]) -> None:
        """Check that the dataset holds all that an expression asks for.

        Raises:
            PatternError: it does not; the message names what is there.
        """
        for address, offset in pattern.places.items():
            try:
                self.position(address)
            except LSTMError as error:
                raise PatternError(offset, error.message) from None

    def position(self, address: Address) -> int:
        """Return the place of a unit's value in the lists of its quantity, from 0.

        Raises:
            LSTMError: the dataset lacks it; the message names what is there.
        """
        layer, direction, unit = address.layer, address.direction, address.units
        self._expect(address, "layer", layer, list(dict.fromkeys(one for one, _ in self.cells)))
        directions = [one for one in DIRECTIONS if (layer, one) in self.widths]
        self._expect(address, "direction", direction, directions)
        widths = self.widths[layer, direction]
        symbols = [BY_NAME[name].symbol for name in widths]
        self._expect(address, "quantity", address.symbol, symbols)
        width = widths[address.quantity]
        # What a layer is given has no units of its own: all of it is kept.
        is_whole = self.units is None or address.quantity == "layer_input"
        there = range(width) if is_whole else (self.units or ())[:width]
        self._expect(address, "unit", unit, there)
        return list(there).index(unit)  # type: ignore[arg-type]  # it is there, so it is one

    def _expect(self, address: Address, what: str, found: object, there: Sequence[object]) -> None:
        if found not in there:
            raise LSTMError(
                f"{address}: expected {what} {_listed(there)}, found {found}. "
                f"{self.path} holds no other."
            )


def _listed(there: Sequence[object]) -> str:
    """List what there is; of units that follow each other, the first and the last."""
    if isinstance(there, range) and len(there) > 2:
        return f"{there[0]} to {there[-1]}"
    return " or ".join(", ".join(map(str, there)).rsplit(", ", 1))


def open_dataset(path: Path) -> Dataset:
    """Open a dataset; what is in it is read off its manifest and its first rows.

    Raises:
        UnreadableFileError: the folder is no dataset, has no rows, or is damaged.
        MissingExtraError: the package duckdb is not installed.
    """
    manifest = _manifest(path)
    try:
        units = _units(manifest)
        files = sorted(path.glob(PARTS))
        if not files:
            raise UnreadableFileError(f"expected part files {PARTS}, found none.")
        database = Database(files)
        return Dataset(path, database, units, _widths(database), bool(manifest.get("finished")))
    except UnreadableFileError as error:
        raise error.at(str(path)) from None


def _manifest(path: Path) -> dict[str, Any]:
    """Read what lstm extract wrote beside the parts.

    Raises:
        UnreadableFileError: it is missing, malformed, or that of something else.
    """
    try:
        manifest: Any = orjson.loads((path / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        message = f"expected a folder that lstm extract wrote, found no {MANIFEST} in it."
        raise UnreadableFileError(message).at(str(path)) from None
    except orjson.JSONDecodeError as error:
        raise UnreadableFileError(f"expected JSON, found {error}.").at(
            str(path / MANIFEST)
        ) from None
    found = manifest.get("schema") if isinstance(manifest, dict) else None
    if found != SCHEMA:
        raise UnreadableFileError(f"expected schema {SCHEMA}, found {found!r}.").at(
            str(path / MANIFEST)
        )
    return dict(manifest)


def _units(manifest: Mapping[str, Any]) -> tuple[int, ...] | None:
    units = manifest.get("units")
    if units == "all":
        return None
    if isinstance(units, list) and all(isinstance(unit, int) for unit in units):
        return tuple(units)
    raise UnreadableFileError(
        f"expected the numbers of the units in {MANIFEST}, or all, found {units!r}."
    )


def _widths(database: Database) -> dict[tuple[int, str], dict[str, int]]:
    """Count the values in the rows of the first step."""
    columns = [row[0] for rows in database.rows(_COLUMNS, {}) for row in rows]
    names = [name for name in BY_NAME if name in columns]
    if missing := [key for key in KEYS if key not in columns]:
        raise UnreadableFileError(
            f"expected the columns {', '.join(KEYS)}, found none named {', '.join(missing)}."
        )
    lengths = "".join(f', len("{name}")' for name in names)
    query = f"SELECT sequence, step, layer, direction{lengths} FROM read_parquet($files) LIMIT $n"
    found = [row for rows in database.rows(query, {"n": _MOST_CELLS}) for row in rows]
    if not found:
        raise UnreadableFileError("expected a dataset with steps, found none in it.")
    first = takewhile(lambda row: row[:2] == found[0][:2], found)
    return {(row[2], row[3]): dict(zip(names, row[4:], strict=True)) for row in first}


_COLUMNS = "SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet($files))"
