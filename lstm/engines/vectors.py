"""Vectors of float32 numbers, as the machine at hand has them, in LLVM's own instructions.

A compiler that is left to vectorise a matrix product gives up as soon as its loop gets
interesting. So what is innermost is spelled out in vectors, one register each.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from llvmlite import binding, ir
from numba.core import cgutils

_FEATURES = binding.get_host_cpu_features()

# float32 numbers in one register.
LANES = 16 if _FEATURES.get("avx512f") else 8 if _FEATURES.get("avx") else 4
MANY_REGISTERS = LANES != 8  # 32 of them, not 16

_FLOAT, _BYTE, _INT, _LONG = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)
VECTOR, _INTEGERS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)
_KIND = f"v{LANES}f32"
_ALIGNMENT = 4
_CACHE_LINE = 16  # numbers


class Writer:
    """Writes instructions on vectors of LANES numbers where the builder stands.

    With `ways`, values are so many registers side by side, each with LANES numbers of its own:
    while one waits for a result, the other has work. `load` and the like are of one register.
    """

    def __init__(self, builder: ir.IRBuilder, ways: int = 1) -> None:
        self.builder = builder
        self.ways = ways
        self.vector = ir.VectorType(_FLOAT, LANES * ways)
        self.integers = ir.VectorType(_INT, LANES * ways)

    def join(self, registers: Sequence[ir.Value]) -> ir.Value:
        """Make one value of as many registers as there are ways, one or two."""
        if len(registers) == 1:
            return registers[0]
        order = ir.Constant(self.integers, list(range(LANES * self.ways)))
        return self.builder.shuffle_vector(*registers, order)

    def split(self, value: ir.Value) -> list[ir.Value]:
        """Return the registers of a value."""
        if self.ways == 1:
            return [value]
        orders = [range(way * LANES, (way + 1) * LANES) for way in range(self.ways)]
        return [
            self.builder.shuffle_vector(value, value, ir.Constant(_INTEGERS, list(order)))
            for order in orders
        ]

    def address(self, number: ir.Value) -> ir.Value:
        return self.builder.inttoptr(number, ir.PointerType(_FLOAT))

    def shift(self, pointer: ir.Value, *factors: ir.Value | int) -> ir.Value:
        """Return the pointer moved by the product of the factors, in numbers."""
        offset = ir.Constant(_LONG, 1)
        for factor in factors:
            value = ir.Constant(_LONG, factor) if isinstance(factor, int) else factor
            offset = self.builder.mul(offset, value)
        return self.builder.gep(pointer, [offset])

    def load(self, pointer: ir.Value) -> ir.Value:
        vector = self.builder.load(self._as_vector(pointer))
        vector.align = _ALIGNMENT
        return vector

    def store(self, vector: ir.Value, pointer: ir.Value) -> None:
        self.builder.store(vector, self._as_vector(pointer)).align = _ALIGNMENT

    def first(self, count: ir.Value) -> ir.Value:
        """Return the mask of the first `count` lanes."""
        numbers = ir.Constant(_INTEGERS, list(range(LANES)))
        limit = self._splat(self.builder.trunc(count, _INT), _INTEGERS)
        return self.builder.icmp_signed("<", numbers, limit)

    def load_some(self, pointer: ir.Value, mask: ir.Value) -> ir.Value:
        kinds = [ir.PointerType(VECTOR), _INT, mask.type, VECTOR]
        alignment = ir.Constant(_INT, _ALIGNMENT)
        zeros = ir.Constant(VECTOR, [0.0] * LANES)
        arguments = [self._as_vector(pointer), alignment, mask, zeros]
        return self._call(f"masked.load.{_KIND}.p0", VECTOR, kinds, arguments)

    def store_some(self, vector: ir.Value, pointer: ir.Value, mask: ir.Value) -> None:
        kinds = [VECTOR, ir.PointerType(VECTOR), _INT, mask.type]
        alignment = ir.Constant(_INT, _ALIGNMENT)
        arguments = [vector, self._as_vector(pointer), alignment, mask]
        self._call(f"masked.store.{_KIND}.p0", ir.VoidType(), kinds, arguments)

    def spread(self, pointer: ir.Value) -> ir.Value:
        """Return a vector that is one number throughout."""
        return self._splat(self.builder.load(pointer), VECTOR)

    def constant(self, value: float) -> ir.Constant:
        number = struct.unpack("f", struct.pack("f", value))[0]
        return ir.Constant(self.vector, [number] * self.vector.count)

    def multiply_add(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        name = f"fma.v{self.vector.count}f32"
        return self._call(name, self.vector, [self.vector] * 3, [a, b, c])

    def integer(self, value: int) -> ir.Constant:
        return ir.Constant(self.integers, [value] * self.integers.count)

    def divide(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """Return a / b to within a unit in the last place, for b from 1 to 1e38.

        A register of sixteen is divided slowly; a guess at 1 / b, and two corrections, are not.
        """
        if LANES != 16:
            return self.builder.fdiv(a, b)
        kinds = [VECTOR, VECTOR, ir.IntType(16)]
        everywhere = ir.Constant(kinds[2], -1)
        guess = self.join(
            [
                self._call("x86.avx512.rcp14.ps.512", VECTOR, kinds, [each, each, everywhere])
                for each in self.split(b)
            ]
        )
        negative = self.builder.fneg(b)
        missed = self.multiply_add(negative, guess, self.constant(1.0))
        inverse = self.multiply_add(guess, missed, guess)
        quotient = self.builder.fmul(a, inverse)
        return self.multiply_add(inverse, self.multiply_add(negative, quotient, a), quotient)

    def at_most(self, values: ir.Value, limit: float) -> ir.Value:
        """Return the smaller of the two; what is not a number stays so."""
        above = self.builder.fcmp_ordered(">", values, self.constant(limit))
        return self.builder.select(above, self.constant(limit), values)

    def at_least(self, values: ir.Value, limit: float) -> ir.Value:
        below = self.builder.fcmp_ordered("<", values, self.constant(limit))
        return self.builder.select(below, self.constant(limit), values)

    def bits(self, values: ir.Value) -> ir.Value:
        return self.builder.bitcast(values, self.integers)

    def from_bits(self, integers: ir.Value) -> ir.Value:
        return self.builder.bitcast(integers, self.vector)

    def ask_for(self, pointer: ir.Value, count: int) -> None:
        """Have the cache lines of this many numbers fetched."""
        kinds = [ir.PointerType(_BYTE), _INT, _INT, _INT]
        read, keep, data = (ir.Constant(_INT, value) for value in (0, 3, 1))
        for line in range(0, count, _CACHE_LINE):
            place = self.builder.bitcast(self.shift(pointer, line), kinds[0])
            self._call("prefetch.p0", ir.VoidType(), kinds, [place, read, keep, data])

    def _as_vector(self, pointer: ir.Value) -> ir.Value:
        return self.builder.bitcast(pointer, ir.PointerType(VECTOR))

    def _splat(self, scalar: ir.Value, kind: ir.VectorType) -> ir.Value:
        empty, mask = ir.Constant(kind, ir.Undefined), ir.Constant(_INTEGERS, [0] * LANES)
        one = self.builder.insert_element(empty, scalar, ir.Constant(_INT, 0))
        return self.builder.shuffle_vector(one, empty, mask)

    def _call(
        self, name: str, result: ir.Type, kinds: list[ir.Type], arguments: list[ir.Value]
    ) -> ir.Value:
        kind = ir.FunctionType(result, kinds)
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}")
        return self.builder.call(function, arguments)
