"""The option that names what is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.console import CommandLineError, utf8
from lstm.errors import LSTMError

if TYPE_CHECKING:
    from lstm.analysis.metric import Metric

MEASURED = "What is measured"


def parse_metric(text: str) -> Metric:
    """Read --metric.

    Raises:
        CommandLineError: it does not follow the grammar.
    """
    from lstm.analysis.metric import Metric

    try:
        return Metric.parse(utf8(text, "--metric"))
    except LSTMError as error:
        raise CommandLineError(f"--metric: {error}") from None


@contextmanager
def measuring() -> Iterator[None]:
    """Name the option in what a metric asks for that is not there."""
    from lstm.analysis.metric import MetricError

    try:
        yield
    except MetricError as error:
        raise error.at("--metric") from None
