"""Which layout a file has, by names and shapes; or why it holds no LSTM. Free of numpy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from math import prod

from lstm.errors import LSTMError, ShapeError
from lstm.quantities import DIRECTIONS
from weights.archive import TensorInfo
from weights.errors import AmbiguousError, NotAnLSTMError, UnknownLayoutError
from weights.layouts.found import CellAddress, FoundLSTM, Part
from weights.layouts.grouping import group
from weights.layouts.layout import Layout
from weights.layouts.native import NATIVE
from weights.layouts.search import find_lstms, find_traces, find_variant

Tensors = Mapping[str, TensorInfo]


def detect(tensors: Tensors, layout: str | None = None, prefix: str | None = None) -> FoundLSTM:
    """Find the one LSTM in a file.

    Args:
        tensors: the file's header.
        layout: take this layout only.
        prefix: take the LSTM whose names start so, at least up to a separator, which may be
            left out.

    Returns:
        The LSTM, its shapes checked.

    Raises:
        NotAnLSTMError: there is none; the message says what the file looks like instead.
        AmbiguousError: there are several, or several layouts fit.
        ShapeError: a tensor's shape does not fit the others.
        LSTMError: no layout has that name, or no LSTM that prefix.
    """
    found = _sound(_find(tensors, _candidates(layout), prefix), tensors)
    if not found:
        raise _why_none(tensors, layout, prefix)
    if len({lstm.layout.name for lstm in found}) > 1:
        raise AmbiguousError("layout", sorted({x.layout.name for x in found}), "--layout")
    if len(found) > 1:
        raise AmbiguousError("LSTM", sorted(x.prefix or '""' for x in found), "--prefix")
    return found[0]


def every_lstm(tensors: Tensors) -> list[FoundLSTM]:
    """Return all that a file holds, in any layout.

    Raises:
        LSTMError: what looks like an LSTM is none, or does not fit together.
    """
    return _sound(_find(tensors, _candidates(None), None), tensors)


def sound_lstms(tensors: Tensors) -> list[FoundLSTM]:
    """Return those LSTMs of a file that fit together, whatever else it holds."""
    return _split(_find(tensors, _candidates(None), None), tensors)[0]


def evidence(lstm: FoundLSTM) -> list[str]:
    """Say in sentences what gives a layout away."""
    first, size = lstm.parts[0], lstm.layer_sizes(0).hidden_size
    sentences = [f"{len(lstm.parts)} tensors have its names, such as {first.name}"]
    if is_packed(lstm):
        blocks = len(lstm.layout.order)
        sentences.append(f"{blocks * size} outputs are {blocks} times the hidden size {size}")
    else:
        sentences.append(f"tensors for each gate, with {size} outputs, one per unit")
    return sentences


def is_packed(lstm: FoundLSTM) -> bool:
    """Whether one matrix holds all gates; peepholes may stand apart all the same."""
    matrices = (part for part in lstm.parts if part.kind.part in ("ih", "hh", "hx", "xh"))
    return next(matrices).gate is None


def check(lstm: FoundLSTM, tensors: Tensors) -> None:
    """Raise where the tensors do not make up an LSTM that is supported."""
    for cell in lstm.cells.values():
        if not any(part.kind.part == "projection" for part in cell):
            for part in cell:
                _refuse_other_networks(part)
    if variant := find_variant(lstm, tensors):
        raise NotAnLSTMError(f"{variant[0]}: {variant[1]} is not supported.")
    _check_cells(lstm)
    for address in lstm.cells:
        _check_parts(lstm, address)
        _check_shapes(lstm, address)
    _check_alike(lstm)


def _candidates(name: str | None) -> tuple[Layout, ...]:
    if name == NATIVE.name:
        return (NATIVE,)
    from weights.layouts.registry import LAYOUTS, NAMES  # not before another one is looked for

    if name is None:
        return tuple(layout for layout in LAYOUTS if not layout.by_name_only)
    chosen = tuple(replace(x, assumed_bare={}) for x in LAYOUTS if x.name == name)
    if not chosen:
        raise LSTMError(f"--layout: expected one of {', '.join(NAMES)}, found {name!r}.")
    return chosen


def _find(tensors: Tensors, layouts: tuple[Layout, ...], prefix: str | None) -> list[FoundLSTM]:
    """All that names tell; with a prefix the cells that have it, before they are stacked."""
    found: list[FoundLSTM] = []
    if layouts != (NATIVE,):
        from weights.layouts.relatives import without_relatives

        tensors = without_relatives(tensors)
    for layout in layouts:
        alone = find_lstms(layout, tensors)
        if prefix is None:
            found += group(alone)
            continue
        wanted = [x for x in alone if _same(x.prefix, prefix)]
        inside = re.compile(re.escape(prefix.rstrip("._/")) + "[._/]")
        found += (
            group(wanted)
            or [lstm for lstm in group(alone) if _same(lstm.prefix, prefix)]
            or group([x for x in alone if inside.match(x.prefix)])
        )
    return _widest(found)


def _same(one: str, other: str) -> bool:
    return one.rstrip("._/") == other.rstrip("._/")


def _widest(found: list[FoundLSTM]) -> list[FoundLSTM]:
    """Leave out what another explains with more tensors: a part is not taken for the whole."""
    return [lstm for lstm in found if not any(_explains(other, lstm) for other in found)]


def _explains(one: FoundLSTM, other: FoundLSTM) -> bool:
    special = one.layout.instead_of == other.layout.name and other.names <= one.names
    return special or other.names < one.names


def _sound(found: list[FoundLSTM], tensors: Tensors) -> list[FoundLSTM]:
    """Leave out the layouts whose shapes do not fit; where none does, say why the first.

    A GRU beside a sound LSTM is another part of the model; a broken LSTM is a broken file. So is
    what only has names that many things have.
    """
    sound, problems = _split(found, tensors)
    if telling := [lstm for lstm in sound if not lstm.layout.common]:
        sound = telling
        problems = [(lstm, problem) for lstm, problem in problems if not lstm.layout.common]
    for lstm, problem in problems:
        is_other = bool(sound) and isinstance(problem, NotAnLSTMError)
        if not is_other and not any(lstm.names & other.names for other in sound):
            raise problem
    return sound


def _split(
    found: list[FoundLSTM], tensors: Tensors
) -> tuple[list[FoundLSTM], list[tuple[FoundLSTM, LSTMError]]]:
    """Those that fit together, and those that do not, with the reason."""
    sound, problems = [], []
    for lstm in found:
        try:
            check(lstm, tensors)
            sound.append(lstm)
        except LSTMError as error:
            problems.append((lstm, error))
    return sound, problems


def _why_none(tensors: Tensors, layout: str | None, prefix: str | None) -> LSTMError:
    others = every_lstm(tensors)
    fitting = [lstm for lstm in others if layout in (None, lstm.layout.name)]
    if fitting and prefix is not None:
        listed = ", ".join(sorted(repr(lstm.prefix) for lstm in fitting))
        return LSTMError(f"--prefix: expected one of {listed}, found {prefix!r}.")
    if others:
        names = ", ".join(sorted({lstm.layout.name for lstm in others}))
        return UnknownLayoutError(f"no tensors named as {layout} has them. Found: {names}.")
    from weights.layouts.relatives import why_not

    if relative := why_not(tensors):
        return relative
    for trace in (t for c in _candidates(layout) for t in find_traces(c, tensors)):
        if len(trace.parts) > 1:
            try:
                check(trace, tensors)
            except LSTMError as error:
                return error
    if not tensors:
        return NotAnLSTMError("the file holds no tensors.")
    from weights.layouts.registry import NAMES

    shown = ", ".join(sorted(tensors)[:3]) + (", ..." if len(tensors) > 3 else "")
    return UnknownLayoutError(
        f"no known layout has tensors named {shown}. Known: {', '.join(NAMES)}. "
        "lstm inspect lists its tensors."
    )


def _refuse_other_networks(part: Part) -> None:
    """Rows and columns of the recurrent matrix tell an LSTM from its relatives."""
    if part.kind.part != "hh" or part.gate is not None or len(part.shape) != 2:
        return
    outputs, size = max(part.shape), min(part.shape)
    others = {3: "a GRU", 1: "a plain RNN"}
    if size and outputs % size == 0 and outputs // size in others:
        long, short = ("columns", "rows") if part.shape[1] > part.shape[0] else ("rows", "columns")
        times = "equal" if outputs == size else f"are {outputs // size} times"
        what = others[outputs // size]
        raise NotAnLSTMError(
            f"{long} of {part.name} {times} its {short}: this is {what}, not an LSTM."
        )


def _check_cells(lstm: FoundLSTM) -> None:
    """Every layer from 0 on must be there; in both directions where one of them is."""
    both = len(lstm.cells) > len({layer for layer, _ in lstm.cells})
    for layer in range(lstm.num_layers):  # ends at the first gap, however large a number is
        found = lstm.directions(layer)
        expected = DIRECTIONS if both else found or DIRECTIONS[:1]
        for direction in expected:
            if direction not in found:
                raise NotAnLSTMError(
                    f"expected layers 0 to {lstm.num_layers - 1}, each {' and '.join(expected)}; "
                    f"found no layer {layer} {direction}."
                )


def _check_alike(lstm: FoundLSTM) -> None:
    """What one cell of a module has, a bias above all, the module's other cells have too."""
    if lstm.layout is NATIVE:  # holds stacks of cells that differ
        return
    modules: dict[str, dict[CellAddress, list[Part]]] = {}
    for address, cell in lstm.cells.items():
        modules.setdefault(_prefix(cell[0]), {})[address] = cell
    for cells in modules.values():
        kinds = {at: {part.kind for part in cell} for at, cell in cells.items()}
        shared = {part.kind: part.name for cell in cells.values() for part in cell}
        for (kind, name), (at, own) in product(shared.items(), kinds.items()):
            if kind.optional and kind.part in ("bias", "projection") and kind not in own:
                raise NotAnLSTMError(
                    f"layer {at[0]} {at[1]}: expected a {kind.part} such as {name}, as another "
                    "cell has one, found none."
                )


def _prefix(part: Part) -> str:
    match = re.fullmatch(rf"(?P<prefix>.*?){part.kind.pattern}", part.name, re.DOTALL)
    return match["prefix"] if match else ""


def _check_parts(lstm: FoundLSTM, address: CellAddress) -> None:
    """Every required tensor of a cell must be there, and a tensor for all gates or for none."""
    cell = lstm.cells[address]
    for kind in lstm.layout.kinds:
        names = {part.gate: part.name for part in cell if part.kind == kind}
        for part in cell:
            if part.kind == kind and names[part.gate] != part.name:
                raise NotAnLSTMError(
                    f"layer {address[0]} {address[1]}: expected one tensor for a place, found "
                    f"{part.name} and {names[part.gate]}."
                )
        if kind.part == "alias" or (kind.optional and not names):
            continue
        gates = lstm.layout.gates_of(kind)
        if kind.part == "peephole":
            gates = tuple(gate for gate in gates if gate in names)  # not every gate need have one
        missing = [gate for gate in gates if gate not in names]
        if missing:
            what = "bias" if kind.part == "bias" else "weight"
            gate = f" of the {missing[0]} gate" if missing[0] else f" ({kind.part})"
            raise NotAnLSTMError(
                f"layer {address[0]} {address[1]}: expected a {what}{gate}, found none."
            )


def _check_shapes(lstm: FoundLSTM, address: CellAddress) -> None:
    sizes = lstm.sizes(address)
    order = {kind: number for number, kind in enumerate(lstm.layout.kinds)}
    for part in sorted(lstm.cells[address], key=lambda part: order[part.kind]):
        expected, symbols = lstm.expected(part, sizes)
        flat = len(expected) == 1 and part.shape and prod(part.shape) == max(part.shape)
        full = part.kind.part == "peephole" and part.shape == expected * 2
        if part.shape != expected and not full and not (flat and max(part.shape) == expected[0]):
            raise ShapeError(part.name, symbols, expected, part.shape)
    if min(sizes) < 1:
        raise NotAnLSTMError(
            f"layer {address[0]} {address[1]}: expected input and hidden size of at least 1, "
            f"found {sizes.input_size} and {sizes.hidden_size}."
        )
