"""What the kernel is made of: a tile of a matrix product, the end of a step, shared counters.

Each is a function that numba calls like its own and that stands for the instructions written
here. Arguments are whole numbers: addresses, and strides and counts of float32 numbers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lstm.engines.vectors import LANES, MANY_REGISTERS, VECTOR, Writer

GATES = 4
# A panel is one register of units, with all four gates of each.
PANEL = GATES * LANES
# Vectors that are multiplied at once: as many as have room for their sums in the registers.
ROWS = 6 if MANY_REGISTERS else 3
# How far ahead of their use weights are asked for; the second-level cache needs it.
_AHEAD = 1024

# exp(r) = 1 + r + r**2 * (...) for |r| up to ln(2) / 2, and tanh(x) = x + x**3 * (... in x**2) up
# to 0.625; fitted to the smallest largest relative error, 3e-9 and 2e-10. Highest power first.
_EXP = (0.0013814467, 0.008368781, 0.041668393, 0.1666652, 0.49999994)
_TANH = (0.0021429586, -0.008177395, 0.021700703, -0.053946763, 0.13333206, -0.3333333)
_NEAR = 0.625
_OCTAVES = 1.4426950408889634
# ln(2) in two parts, the first with so few digits that its multiples are exact.
_OCTAVE_HIGH, _OCTAVE_LOW = 0.693145751953125, 1.4286068203094172e-06
# Added to a number, it leaves the whole part in the lowest bits.
_ROUNDER = 12582912.0
# Beyond these, e to the x leaves what a float32 can hold.
_SMALLEST, _LARGEST = -87.0, 88.0
_SIGN, _ONE, _FRACTION_BITS = -(2**31), 0x3F800000, 23

_LONG = ir.IntType(64)


def _instruction(
    write: Callable[..., ir.Value | None], result: types.Type = types.void
) -> Callable[..., Any]:
    """Make what `write` writes into a function of whole numbers for numba."""

    def instruction(_, *arguments):
        def generate(context, builder, _, values):
            value = write(builder, *values)
            return context.get_dummy_value() if value is None else value

        return result(*[types.intp] * len(arguments)), generate

    instruction.__signature__ = inspect.signature(write)  # type: ignore[attr-defined]
    return intrinsic(instruction)  # type: ignore[no-any-return]


def tile(rows: int, panels: int) -> Callable[..., None]:
    """Make the function that multiplies some panels of weights with some vectors.

    Its arguments: the sums (rows, panels, PANEL) and their stride from row to row; the weights
    and their stride from panel to panel; the vectors and theirs; the number of columns; and
    whether to add to the sums that are there (1) or to begin them (0). A sum is one chain of
    fused multiply-adds over the columns: its bits depend on neither `rows` nor `panels`.
    """
    places = [(r, p, g) for r in range(rows) for p in range(panels) for g in range(GATES)]

    def write(
        builder: ir.IRBuilder,
        sums: ir.Value,
        sum_stride: ir.Value,
        weights: ir.Value,
        weight_stride: ir.Value,
        vectors: ir.Value,
        stride: ir.Value,
        columns: ir.Value,
        add: ir.Value,
    ) -> None:
        w = Writer(builder)
        chains = {place: cgutils.alloca_once(builder, VECTOR) for place in places}
        for chain in chains.values():
            builder.store(w.constant(0.0), chain)
        panel = [w.shift(w.address(weights), weight_stride, p) for p in range(panels)]
        vector = [w.shift(w.address(vectors), stride, r) for r in range(rows)]
        with cgutils.for_range(builder, columns) as loop:
            column = [w.shift(pointer, loop.index, PANEL) for pointer in panel]
            if rows == 1:  # one vector is as fast as the weights come; several have work meanwhile
                for pointer in column:
                    w.ask_for(w.shift(pointer, _AHEAD), PANEL)
            block = {(p, g): w.load(w.shift(column[p], g * LANES)) for _, p, g in places}
            factor = [w.spread(w.shift(pointer, loop.index)) for pointer in vector]
            for r, p, g in places:
                chain = chains[r, p, g]
                builder.store(w.multiply_add(block[p, g], factor[r], builder.load(chain)), chain)
        adding = builder.icmp_signed("!=", add, ir.Constant(_LONG, 0))
        for r, p, g in places:
            here = w.shift(w.shift(w.address(sums), sum_stride, r), p * PANEL + g * LANES)
            before = builder.select(adding, w.load(here), w.constant(0.0))
            w.store(builder.fadd(before, builder.load(chains[r, p, g])), here)

    return _instruction(write)


def _write_placing(
    builder: ir.IRBuilder,
    sums: ir.Value,
    bias: ir.Value,
    products: ir.Value,
    size: ir.Value,
    units: ir.Value,
) -> None:
    """Write one panel's sums plus the bias to their places in (4H,) products."""
    w = Writer(builder)
    mask = w.first(units)
    for gate in range(GATES):
        total = builder.fadd(
            w.load(w.shift(w.address(sums), gate * LANES)),
            w.load_some(w.shift(w.address(bias), size, gate), mask),
        )
        w.store_some(total, w.shift(w.address(products), size, gate), mask)


class _Place(NamedTuple):
    """Where the units of one panel and one sequence are read and written, as addresses.

    The hidden state is written to the record and to where the next step reads it.
    """

    sums: ir.Value
    products: ir.Value
    z: ir.Value
    gates: ir.Value
    previous: ir.Value
    cell: ir.Value
    hidden: ir.Value
    carried: ir.Value
    units: ir.Value


def finish(ways: int) -> Callable[..., None]:
    """Make the function that finishes the step of one or two panels.

    Its arguments: the number of units of the cell, and for each the fields of `_Place`.
    """

    def write(builder: ir.IRBuilder, size: ir.Value, *numbers: ir.Value) -> None:
        width = len(_Place._fields)
        starts = range(0, ways * width, width)
        _write_step(builder, size, [_Place(*numbers[n : n + width]) for n in starts])

    # numba counts the arguments by the signature, and cannot count stars.
    names = [f"{name}_{way}" for way in range(ways) for name in _Place._fields]
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for name in ("builder", "size", *names)
    ]
    write.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return _instruction(write)


def _write_step(builder: ir.IRBuilder, size: ir.Value, places: Sequence[_Place]) -> None:
    """Finish the step of some panels: pre-activations, gates, cell and hidden state."""
    w = Writer(builder, len(places))
    masks = [w.first(place.units) for place in places]

    def load(name: str, gate: int) -> ir.Value:
        return w.join(
            [
                w.load_some(w.shift(w.address(getattr(place, name)), size, gate), mask)
                for place, mask in zip(places, masks, strict=True)
            ]
        )

    def store(value: ir.Value, name: str, gate: int = 0) -> None:
        for register, place, mask in zip(w.split(value), places, masks, strict=True):
            w.store_some(register, w.shift(w.address(getattr(place, name)), size, gate), mask)

    values = []
    for gate in range(GATES):
        sums = [w.load(w.shift(w.address(place.sums), gate * LANES)) for place in places]
        total = builder.fadd(load("products", gate), w.join(sums))
        store(total, "z", gate)
        value = _tanh(w, total) if gate == 2 else _sigmoid(w, total)
        store(value, "gates", gate)
        values.append(value)
    i, f, g, o = values
    c = builder.fadd(builder.fmul(f, load("previous", 0)), builder.fmul(i, g))
    store(c, "cell")
    h = builder.fmul(o, _tanh(w, c))
    store(h, "hidden")
    store(h, "carried")


def _polynomial(w: Writer, coefficients: Sequence[float], x: ir.Value) -> ir.Value:
    value = w.constant(coefficients[0])
    for coefficient in coefficients[1:]:
        value = w.multiply_add(value, x, w.constant(coefficient))
    return value


def _exp(w: Writer, x: ir.Value) -> ir.Value:
    """Raise e to x, x between _SMALLEST and _LARGEST: a power of two times a polynomial."""
    b = w.builder
    shifted = w.multiply_add(x, w.constant(_OCTAVES), w.constant(_ROUNDER))
    octaves = b.fsub(shifted, w.constant(_ROUNDER))
    r = w.multiply_add(octaves, w.constant(-_OCTAVE_HIGH), x)
    r = w.multiply_add(octaves, w.constant(-_OCTAVE_LOW), r)
    series = w.multiply_add(_polynomial(w, _EXP, r), b.fmul(r, r), r)
    exponent = b.shl(w.bits(shifted), w.integer(_FRACTION_BITS))
    power = w.from_bits(b.add(exponent, w.integer(_ONE)))
    return w.multiply_add(series, power, power)


def _sigmoid(w: Writer, x: ir.Value) -> ir.Value:
    """1 / (1 + e^-x) = 1 - q, and e^x (1 - q) for negative x, with q = e^-|x| / (1 + e^-|x|)."""
    b = w.builder
    sign = b.and_(w.bits(x), w.integer(_SIGN))
    negative = w.from_bits(b.or_(w.bits(x), w.integer(_SIGN)))
    e = _exp(w, w.at_least(negative, _SMALLEST))
    q = w.divide(e, b.fadd(w.constant(1.0), e))
    whole = b.select(b.icmp_signed("!=", sign, w.integer(0)), e, w.constant(1.0))
    return w.multiply_add(b.fneg(whole), q, whole)


def _tanh(w: Writer, x: ir.Value) -> ir.Value:
    b = w.builder
    sign = b.and_(w.bits(x), w.integer(_SIGN))
    size = w.from_bits(b.xor(w.bits(x), sign))
    doubled = w.at_most(b.fadd(size, size), _LARGEST)
    quotient = w.divide(w.constant(2.0), b.fadd(_exp(w, doubled), w.constant(1.0)))
    far = w.from_bits(b.or_(w.bits(b.fsub(w.constant(1.0), quotient)), sign))
    square = b.fmul(x, x)
    near = w.multiply_add(_polynomial(w, _TANH, square), b.fmul(square, x), x)
    return b.select(b.fcmp_ordered("<", size, w.constant(_NEAR)), near, far)


def _write_asking(builder: ir.IRBuilder, products: ir.Value, size: ir.Value) -> None:
    w = Writer(builder)
    for gate in range(GATES):
        w.ask_for(w.shift(w.address(products), size, gate), LANES)


def _write_counting(builder: ir.IRBuilder, address: ir.Value) -> None:
    place = builder.inttoptr(address, ir.PointerType(_LONG))
    builder.atomic_rmw("add", place, ir.Constant(_LONG, 1), "acq_rel")


def _write_reading(builder: ir.IRBuilder, address: ir.Value) -> ir.Value:
    place = builder.inttoptr(address, ir.PointerType(_LONG))
    return builder.load_atomic(place, "acquire", 8)


place = _instruction(_write_placing)
# Have one panel's W x + b fetched, which lie anywhere.
ask_for = _instruction(_write_asking)
# Add one to a shared counter: who then reads it sees all that was written before.
count_up = _instruction(_write_counting)
counted = _instruction(_write_reading, types.intp)
