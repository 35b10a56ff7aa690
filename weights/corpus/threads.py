"""One thread of linear algebra in each process. Free of numpy, which reads this when imported."""

from __future__ import annotations

import os

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "BLIS", "VECLIB")
}


def use_one_thread() -> None:
    """Have no number depend on how many cores there are, and leave the others to other processes.

    On more threads a library adds in another order.
    """
    os.environ.update(ONE_THREAD)
