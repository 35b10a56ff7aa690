"""What can be wrong with a weight file, as exceptions that carry the facts."""

from __future__ import annotations

from collections.abc import Sequence

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
