"""One thread of linear algebra in each process. Free of numpy, which reads this when imported."""

from __future__ import annotations

import os

ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "BLIS", "VECLIB")
}


def use_one_thread() -> None:
    """Leave the other cores to other processes; so no number depends on how many there are.

    A library may add in another order on more threads.
    """
    os.environ.update(ONE_THREAD)
