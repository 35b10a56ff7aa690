"""How several ways to do one thing are timed: in turn, so that the machine's moods meet all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from time import perf_counter, sleep
from typing import Any

# Seconds between two ways: the threads of some libraries keep a core busy after their work.
_REST = 0.5


def medians(ways: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Seconds of each way, the median over the rounds; each runs once before to warm up."""
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            sleep(_REST)
            start = perf_counter()
            way()
            times[name].append(perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}
