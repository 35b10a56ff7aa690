"""What can be wrong with a weight file, as exceptions that carry the facts."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from lstm.errors import LSTMError


class WeightsError(LSTMError):
    """A weight file that cannot be used."""


class UnreadableFileError(WeightsError):
    """A file that is missing, is no file, or is no safetensors file."""


class UnsupportedDtypeError(WeightsError):
    """A tensor in a number format that is not read as weights."""

    def __init__(self, tensor: str, dtype: str, supported: Sequence[str]) -> None:
        self.tensor, self.dtype = tensor, dtype
        super().__init__(
            f"{tensor}: expected {', '.join(supported)}, found {dtype}. "
            "Convert the weights to one of these first."
        )


class NonFiniteError(WeightsError):
    """A tensor with numbers that are NaN or infinite, or become so in the format of the run."""

    def __init__(
        self, tensor: str, index: Sequence[int], value: float, count: int, dtype: str
    ) -> None:
        self.tensor, self.index, self.value, self.count = tensor, tuple(index), value, count
        where = f"{tensor}{list(index)}" if index else tensor
        cannot = f", which {dtype} cannot hold" if isfinite(value) else ""
        first = f", the first of {count} such numbers" if count > 1 else ""
        what = (
            "Give --dtype float64" if cannot else "The weights are damaged; to go on all the same"
        )
        hint = f"{what}, or --allow-nonfinite." if cannot else f"{what}, give --allow-nonfinite."
        super().__init__(f"{where}: expected a finite number, found {value}{cannot}{first}. {hint}")


class NotAnLSTMError(WeightsError):
    """A file whose tensors are those of something else."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class UnknownLayoutError(NotAnLSTMError):
    """A file in which no known layout finds its names."""


class AmbiguousError(WeightsError):
    """A file that can be read in more than one way: several layouts, or several LSTMs."""

    def __init__(self, what: str, choices: Sequence[str], option: str) -> None:
        self.choices, self.option = tuple(choices), option
        listed = ", ".join(choices)
        super().__init__(f"expected one {what}, found {listed}. Choose with {option}.")


class ForgetBiasError(WeightsError):
    """A forget bias from which what a framework adds at run time cannot be taken off exactly."""

    def __init__(self, layout: str, added: float, dtype: object) -> None:
        self.layout, self.added, self.dtype = layout, added, dtype
        super().__init__(
            f"--to: {layout} adds {added:g} to the forget gate at run time, and {dtype} cannot "
            "hold this bias without it exactly."
        )
