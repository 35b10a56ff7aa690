"""What each token brings to the gates, computed when it first comes and then looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm.arrays import Floats, Integers, aligned
from lstm.engines.engine import Looked
from lstm.engines.plain import PLAIN
from lstm.model import Model
from lstm.parameters import CellParameters
from lstm.state import ModelState
from lstm.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A table may take this many bytes; a larger one is made anew for the tokens of each batch.
LARGEST_TABLE = 2**29


class _Table(NamedTuple):
    """W x + b of the tokens that have come so far, (V, 4H), and which ones these are, (V,)."""

    products: Floats
    known: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Lookup:
    """Runs batches of ids whose first layer need not multiply.

    A token's W x + b has the same bits wherever the token stands, so a corpus needs it once.
    """

    model: Model
    _tables: dict[str, _Table] = field(default_factory=dict)

    @np.errstate(over="ignore", invalid="ignore")  # as `Model.run_batch` has it
    def run(
        self,
        ids: Integers,
        initial_state: ModelState | None = None,
        lengths: Integers | None = None,
    ) -> Trace:
        """Run N sequences; see `Model.run_batch`."""
        cells = self.model.parameters.layers[0].directions
        products = {
            direction: self._products(direction, cell, ids) for direction, cell in cells.items()
        }
        known = {name: product for name, product in products.items() if product is not None}
        return self.model.run_batch(ids, initial_state, known, lengths)

    def _products(self, direction: str, cell: CellParameters, ids: Integers) -> Looked | None:
        engine = next((e for e in (self.model.engine, PLAIN) if e.can_run(cell)), None)
        embedding = self.model.embedding
        if engine is None or embedding is None:
            return None
        ids, size = embedding.check(ids.reshape(-1)), embedding.vocabulary_size
        if size * cell.bias.nbytes > LARGEST_TABLE:
            some, places = np.unique(ids, return_inverse=True)
            return Looked(engine.multiply(cell, embedding(some)), places)
        if direction not in self._tables:
            products = aligned((size, len(cell.bias)), cell.dtype)
            self._tables[direction] = _Table(products, np.zeros(size, np.bool_))
        table = self._tables[direction]
        unknown = ids[~table.known[ids]]
        if len(unknown):
            new = np.unique(unknown)
            table.products[new] = engine.multiply(cell, embedding(new))
            table.known[new] = True
        return Looked(table.products, ids)
