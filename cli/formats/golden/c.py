"""A C header: sizes and tolerances as macros, all numbers as arrays. C99, needs no other file."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

import numpy as np

from cli.formats.golden.literals import quoted, real, rows, type_of
from cli.formats.golden.record import GoldenReport
from lstm.arrays import Floats, Integers
from lstm.quantities import BY_NAME, GATES
from weights.golden import Golden, GoldenCell, GoldenHead
from weights.port import Port

MACRO, NAME = "LSTM_GOLDEN", "lstm_golden"

GUARD = f"{MACRO}_H"
# A compiler may be told more of each array, such as the memory that it should lie in.
ATTRIBUTE = f"""\
#ifndef {MACRO}_ATTRIBUTE
#if defined(__GNUC__)
#define {MACRO}_ATTRIBUTE __attribute__((unused))
#else
#define {MACRO}_ATTRIBUTE
#endif
#endif"""


def write(report: GoldenReport) -> None:
    """Write the header line by line."""
    for line in _lines(report):
        report.stream.write(f"{line}\n".encode("ascii"))


def _lines(report: GoldenReport) -> Iterator[str]:
    golden = report.golden
    yield from _comment(_about(report))
    yield from ("", f"#ifndef {GUARD}", f"#define {GUARD}", "", "#include <stdint.h>")
    if not report.bits and not all(np.isfinite(array).all() for array in golden.arrays.values()):
        yield "#include <math.h> /* NAN, INFINITY */"
    yield from ("", ATTRIBUTE, "")
    yield from _sizes(golden, report.bits)
    yield from _tolerances(golden)
    yield from _inputs(golden, report.bits)
    for cell in golden.cells:
        yield from _cell(cell, golden.port, report.bits)
    if golden.head is not None:
        yield from _head(golden.head, report.bits)
    yield from ("", f"#endif /* {GUARD} */")


def _comment(lines: Iterator[str]) -> Iterator[str]:
    first, *others = lines
    yield f"/* {first}"
    yield from (f" * {line}".rstrip() for line in others)
    yield " */"


def _about(report: GoldenReport) -> Iterator[str]:
    """Say what the header is; whatever a user wrote stands in quotes."""
    golden, card = report.golden, report.golden.model.card
    yield "Golden values of an LSTM: its inputs, its weights, and what it computes at every step."
    yield ""
    yield f"command   {quoted(shlex.join(report.command))}"
    yield f"model     {quoted(card.source)}, read as {card.layout or 'given'}"
    yield f"sha256    {card.sha256 or 'unknown'}"
    yield from (f"assumed   {quoted(assumption)}" for assumption in card.assumed)
    if golden.trace.text is not None:
        yield f"text      {quoted(golden.trace.text)}"
    for step, token in enumerate(golden.trace.tokens or ()):
        yield f"step {step:<4} {quoted(token.text)}, id {token.id}"
    yield from _form(golden, report.bits)
    yield ""
    yield f"A port agrees where |found - expected| <= {MACRO}_ATOL_x + {MACRO}_RTOL_x * |expected|,"
    yield "x being the quantity. All arrays are row by row: step t of a quantity of size n starts"
    yield "at t * n. Steps count in the order of the inputs, in the reverse direction too: there"
    yield "the last one is computed first."


def _form(golden: Golden, bits: bool) -> Iterator[str]:
    """Say how the weights are written, and which cell it is."""
    port, dtype = golden.port, golden.model.parameters.dtype
    sides = "outputs, inputs" if port.matrices == "outputs-first" else "inputs, outputs"
    yield f"gates     blocks in the order {port.order}: {', '.join(port.gates)}"
    yield f"matrices  ({sides}), row by row"
    if port.biases == "one":
        yield "biases    one; where the model has two it is their sum"
    else:
        yield "biases    two; the first is the model's, or the sum of its two, the second is zero"
    stored = "as bit patterns, to be copied with memcpy" if bits else "as hexadecimal literals"
    yield f"numbers   {dtype} {stored}"
    if all(cell.is_standard for cell in golden.cells):
        yield "cell      standard; c' and h' are the states before the step"
    else:
        yield "cell      not standard: the options and further arrays of each cell change formulas"
        yield "          below; pre-activations hold peepholes and clips, tanh_cell is what the"
        yield "          output gate lets through, whatever the activation"


def _sizes(golden: Golden, bits: bool) -> Iterator[str]:
    parameters = golden.model.parameters
    yield "/* Sizes; those of the whole are the input's and the top layer's. */"
    yield from _macros(
        {
            "STEPS": golden.trace.num_steps,
            "LAYERS": parameters.num_layers,
            "DIRECTIONS": parameters.num_directions,
            "INDEPENDENT": int(parameters.independent),
            "RESIDUAL": int(parameters.residual),
            "INPUT_SIZE": parameters.input_size,
            "HIDDEN_SIZE": parameters.hidden_size,
            **{
                f"L{number}_{name.upper()}": getattr(layer.first, name)
                for number, layer in enumerate(parameters.layers)
                for name in ("input_size", "hidden_size", "output_size")
            },
            "TYPE": type_of(golden.inputs, bits=False),
            "BITS": int(bits),
        }
    )


def _tolerances(golden: Golden) -> Iterator[str]:
    suffix = "f" if golden.model.parameters.dtype == np.float32 else ""
    yield "/* How far off a correct port may be, which sums and exponentiates otherwise. */"
    for name, tolerance in golden.tolerances.items():
        for which, number in tolerance._asdict().items():
            yield f"#define {MACRO}_{which.upper()}_{name.upper()} {number!r}{suffix}"
    yield ""


def _inputs(golden: Golden, bits: bool) -> Iterator[str]:
    if golden.ids is not None:
        yield from _array("ids", golden.ids, "(steps,): the tokens", bits)
    yield from _array("inputs", golden.inputs, "(steps, input size)", bits)


def _cell(cell: GoldenCell, port: Port, bits: bool) -> Iterator[str]:
    place = f"l{cell.layer}_{cell.direction}"
    yield f"/* Layer {cell.layer}, {cell.direction}: the weights. */"
    yield ""
    options = {f"{place}_{name}".upper(): _option(value) for name, value in cell.options.items()}
    if options:
        yield from _macros(options)
    for name, array in cell.weights.items():
        yield from _array(f"{place}_{name}", array, _shape_of(name, array, port), bits)
    yield f"/* Layer {cell.layer}, {cell.direction}: the state before the first step. */"
    yield ""
    for name, array in cell.initial.items():
        yield from _array(f"{place}_{name}", array, f"{array.shape}", bits)
    yield f"/* Layer {cell.layer}, {cell.direction}: what every step gives. */"
    yield ""
    for name, array in cell.expected.items():
        quantity = BY_NAME[name]
        about = f"{array.shape}: {quantity.title}, {quantity.symbol} = {quantity.formula}"
        yield from _array(f"{place}_{name}", array, about, bits)


def _head(head: GoldenHead, bits: bool) -> Iterator[str]:
    """The head's weights, which have no gates, and what it says."""
    yield "/* The head: logits = weight (projection h + projection_bias) + bias, as far as there,"
    yield " * h being the top layer's hidden state, the directions side by side;"
    yield " * probabilities = softmax(logits). */"
    yield ""
    yield from _macros(
        {
            "OUTCOMES": head.expected["logits"].shape[1],
            "HEAD_INPUT_SIZE": head.input_size,
            "HEAD_PROJECTION_SIZE": head.projection_size,
        }
    )
    for name, array in head.arrays.items():
        yield from _array(f"head_{name}", array, f"{array.shape}", bits)


def _shape_of(name: str, array: Floats, port: Port) -> str:
    """Say the shape, and where an array has a block per gate, in which order."""
    packed = name.startswith(("weight", "bias")) or name == "norm_gain"
    return (
        f"{array.shape}: {len(GATES)} blocks {', '.join(port.gates)}"
        if packed
        else f"{array.shape}"
    )


def _option(value: str | float) -> str:
    return f'"{value}"' if isinstance(value, str) else real(float(value))


def _macros(values: Mapping[str, object]) -> Iterator[str]:
    yield from (f"#define {MACRO}_{name} {value}" for name, value in values.items())
    yield ""


def _array(name: str, array: Floats | Integers, about: str, bits: bool) -> Iterator[str]:
    yield f"/* {about} */"
    declared = f"static const {type_of(array, bits)} {NAME}_{name}[{array.size}]"
    yield f"{declared} {MACRO}_ATTRIBUTE = {{"
    yield from rows(array, bits)
    yield from ("};", "")
