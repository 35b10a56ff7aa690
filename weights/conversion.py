"""Write a loaded model in another layout, and check the file against the model."""

from __future__ import annotations

import os
from typing import BinaryIO, NamedTuple

import numpy as np

from lstm.errors import LSTMError
from lstm.model import Model
from weights.atomic import replacing
from weights.containers.registry import open_any
from weights.containers.safetensors import archive_bytes
from weights.errors import ForgetBiasError
from weights.layouts.detection import detect, evidence
from weights.layouts.layout import Layout
from weights.layouts.native import NATIVE
from weights.layouts.registry import LAYOUTS
from weights.loading import load
from weights.metadata import converted_metadata, declared_layout
from weights.pretrained.registry import find
from weights.saving import native_bytes
from weights.selftest import largest_difference, make
from weights.writer import Tensors, write_parameters

STEPS = 16  # of the random input on which a converted file is checked


class Difference(NamedTuple):
    """The largest differences between a model and the file it was written to, on one input."""

    hidden: float
    cell: float


class Origin(NamedTuple):
    """How a file stores what was read from it, and what gave that away."""

    layout: str
    layout_title: str
    evidence: tuple[str, ...]
    prefix: str


def origin_of(source: str, layout: str | None, prefix: str | None) -> Origin:
    """Say how a file is read; arguments as `weights.load` takes them.

    Raises:
        LSTMError: as `weights.load` raises it.
    """
    archive = open_any(find(source))
    found = detect(archive.tensors, layout or declared_layout(archive.metadata), prefix)
    said = tuple(evidence(found))
    return Origin(found.layout.name, found.layout.title, said, found.prefix)


class Converted(NamedTuple):
    """What was written, and how far it is from the model.

    `layout`, by name, is the one that was asked for; or, where the framework adds to the forget
    gate at run time what cannot be taken off this bias exactly, its layout that adds nothing.
    """

    layout: str
    difference: Difference


def convert(model: Model, path: str | os.PathLike[str], to: str = NATIVE.name) -> Converted:
    """Write a model in a layout, whole and checked against the model, or not at all.

    In the native layout the file holds everything; in another one the LSTM alone.

    Raises:
        LSTMError: there is no such layout, it is only read, it cannot hold the parameters, or
            what was written gives other numbers.
    """
    layout = _layout(to)
    if layout is not NATIVE:
        layout, tensors = _written(model, layout)
        data = archive_bytes(tensors, converted_metadata(layout.name))
    else:
        data = native_bytes(model)
    with replacing(path) as file:
        _write(file, data)
        if layout is NATIVE:
            # What it makes of an input is best told by the numbers as they are in the file.
            test = make(load(file.name, dtype="float64", allow_nonfinite=True))
            _write(file, native_bytes(model, extra={"selftest": test}))
        try:
            return Converted(layout.name, verify(model, file.name, layout.name))
        except LSTMError as error:
            raise error.at(str(path)) from None


def _write(file: BinaryIO, data: bytes) -> None:
    file.seek(0)
    file.truncate()
    file.write(data)
    file.flush()


def _written(model: Model, layout: Layout) -> tuple[Layout, Tensors]:
    try:
        return layout, write_parameters(model.parameters, layout)
    except ForgetBiasError as error:
        if not layout.unbiased:
            raise
        unbiased = _layout(layout.unbiased)
        try:
            return unbiased, write_parameters(model.parameters, unbiased)
        except LSTMError as other:
            raise LSTMError(f"{error.message} {other.message.removeprefix('--to: ')}") from None


def verify(model: Model, path: str | os.PathLike[str], to: str = NATIVE.name) -> Difference:
    """Read a written file back, and run it and the model on the same random input.

    Raises:
        LSTMError: the file cannot be read back, or its numbers differ.
    """
    again = load(path, layout=to, dtype=str(model.parameters.dtype), allow_nonfinite=True)
    vectors = np.random.default_rng(0).normal(size=(STEPS, model.parameters.input_size))
    one, other = model.run(vectors=vectors), again.run(vectors=vectors)
    difference = Difference(
        largest_difference(one.output, other.output), largest_difference(one.cell, other.cell)
    )
    if max(difference) > 0:
        raise LSTMError(
            f"expected the numbers of the model, found differences of up to {max(difference):.3g}."
        )
    return difference


def _layout(name: str) -> Layout:
    for layout in LAYOUTS:
        if layout.name == name:
            return layout
    written = ", ".join(layout.name for layout in LAYOUTS if layout.is_written)
    raise LSTMError(f"--to: expected one of {written}; found {name!r}.")
