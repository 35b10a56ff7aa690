"""Which layout a file has, by names and shapes; or why it holds no LSTM. Free of numpy."""

from __future__ import annotations

from collections.abc import Mapping

from lstm.errors import LSTMError, ShapeError
from lstm.quantities import GATES
from weights.archive import TensorInfo
from weights.errors import AmbiguousError, NotAnLSTMError, UnknownLayoutError
from weights.layouts.layout import CellAddress, FoundLSTM, Layout, Part
from weights.layouts.registry import LAYOUTS, NAMES

Tensors = Mapping[str, TensorInfo]


def detect(tensors: Tensors, layout: str | None = None, prefix: str | None = None) -> FoundLSTM:
    """Find the one LSTM in a file.

    Args:
        tensors: the file's header.
        layout: take this layout only.
        prefix: take the LSTM whose names start so; a final separator may be left out.

    Returns:
        The LSTM, its shapes checked.

    Raises:
        NotAnLSTMError: there is none; the message says what the file looks like instead.
        AmbiguousError: there are several, or several layouts fit.
        ShapeError: a tensor's shape does not fit the others.
        LSTMError: no layout has that name, or no LSTM that prefix.
    """
    found = [
        lstm
        for candidate in _candidates(layout)
        for lstm in candidate.find(tensors).values()
        if prefix is None or lstm.prefix.rstrip("._/") == prefix.rstrip("._/")
    ]
    if not found:
        raise _why_none(tensors, layout, prefix)
    if len({lstm.layout.name for lstm in found}) > 1:
        raise AmbiguousError("layout", sorted({x.layout.name for x in found}), "--layout")
    if len(found) > 1:
        raise AmbiguousError("LSTM", sorted(x.prefix or '""' for x in found), "--prefix")
    check(found[0], tensors)
    return found[0]


def every_lstm(tensors: Tensors) -> list[FoundLSTM]:
    """Return all that the names tell of, in any layout, without looking at shapes."""
    return [lstm for layout in LAYOUTS for lstm in layout.find(tensors).values()]


def evidence(lstm: FoundLSTM) -> list[str]:
    """Say in sentences what gives a layout away."""
    first = lstm.parts[0].info
    _, size = lstm.sizes((0, "forward"))
    sentences = [f"{len(lstm.parts)} tensors have its names, such as {first.name}"]
    if lstm.parts[0].gate is None:
        sentences.append(f"{4 * size} rows are 4 times the hidden size {size}")
    else:
        sentences.append(f"one matrix per gate, each with {size} rows, one per unit")
    return sentences


def check(lstm: FoundLSTM, tensors: Tensors) -> None:
    """Raise where the tensors do not make up an LSTM that is supported."""
    for cell in lstm.cells.values():
        for part in cell:
            _refuse_other_networks(part)
    if variant := lstm.layout.variant(tensors, lstm.prefix):
        raise NotAnLSTMError(f"{variant[0]}: {variant[1]} is not supported yet.")
    _check_cells(lstm)
    for address in lstm.cells:
        _check_parts(lstm, address)
        _check_shapes(lstm, address)


def _candidates(name: str | None) -> tuple[Layout, ...]:
    if name is None:
        return LAYOUTS
    chosen = tuple(layout for layout in LAYOUTS if layout.name == name)
    if not chosen:
        raise LSTMError(f"--layout: expected one of {', '.join(NAMES)}, found {name!r}.")
    return chosen


def _why_none(tensors: Tensors, layout: str | None, prefix: str | None) -> LSTMError:
    others = every_lstm(tensors)
    fitting = [lstm for lstm in others if layout in (None, lstm.layout.name)]
    if fitting and prefix is not None:
        listed = ", ".join(sorted(repr(lstm.prefix) for lstm in fitting))
        return LSTMError(f"--prefix: expected one of {listed}, found {prefix!r}.")
    if others:
        names = ", ".join(sorted({lstm.layout.name for lstm in others}))
        return UnknownLayoutError(f"no tensors named as {layout} has them. Found: {names}.")
    for trace in (t for c in LAYOUTS for t in c.find_traces(tensors).values()):
        try:
            check(trace, tensors)
        except LSTMError as error:
            return error
    if not tensors:
        return NotAnLSTMError("the file holds no tensors.")
    shown = ", ".join(sorted(tensors)[:3]) + (", ..." if len(tensors) > 3 else "")
    return UnknownLayoutError(
        f"no known layout has tensors named {shown}. Known: {', '.join(NAMES)}. "
        "lstm inspect lists its tensors."
    )


def _refuse_other_networks(part: Part) -> None:
    """Rows and columns of the recurrent matrix tell an LSTM from its relatives."""
    shape = part.info.shape
    if part.kind.part != "hh" or part.gate is not None or len(shape) != 2:
        return
    rows, columns = max(shape), min(shape)
    others = {3: "a GRU", 1: "a plain RNN"}
    if columns and rows % columns == 0 and rows // columns in others:
        times = "equal" if rows == columns else f"are {rows // columns} times"
        what = others[rows // columns]
        raise NotAnLSTMError(
            f"rows of {part.info.name} {times} its columns: this is {what}, not an LSTM."
        )


def _check_cells(lstm: FoundLSTM) -> None:
    """Every layer from 0 on must be there, in the same directions."""
    directions = sorted({"forward"} | {direction for _, direction in lstm.cells})
    for layer in range(lstm.num_layers):
        for direction in directions:
            if (layer, direction) not in lstm.cells:
                raise NotAnLSTMError(
                    f"expected layers 0 to {lstm.num_layers - 1}, each {' and '.join(directions)}; "
                    f"found no layer {layer} {direction}."
                )


def _check_parts(lstm: FoundLSTM, address: CellAddress) -> None:
    """Every required tensor of a cell must be there, and a bias for all gates or for none."""
    cell = lstm.cells[address]
    gates = GATES if cell[0].gate is not None else (None,)
    for kind in lstm.layout.kinds:
        names = {part.gate: part.info.name for part in cell if part.kind == kind}
        for part in cell:
            if part.kind == kind and names[part.gate] != part.info.name:
                raise NotAnLSTMError(
                    f"layer {address[0]} {address[1]}: expected one tensor for a place, found "
                    f"{part.info.name} and {names[part.gate]}."
                )
        there = set(names)
        missing = [gate for gate in gates if gate not in there]
        if missing and (there or not kind.optional):
            what = "weight" if kind.part != "bias" else "bias"
            gate = f" of the {missing[0]} gate" if missing[0] else f" ({kind.part})"
            raise NotAnLSTMError(
                f"layer {address[0]} {address[1]}: expected a {what}{gate}, found none."
            )


def _check_shapes(lstm: FoundLSTM, address: CellAddress) -> None:
    input_size, hidden_size = lstm.sizes(address)
    order = {kind: number for number, kind in enumerate(lstm.layout.kinds)}
    for part in sorted(lstm.cells[address], key=lambda part: order[part.kind]):
        expected = lstm.expected_shape(part, input_size, hidden_size)
        found = part.info.shape
        flat = part.kind.part == "bias" and part.info.size == max(found, default=0)
        if found != expected and not (flat and part.info.size == expected[0]):
            raise ShapeError(part.info.name, lstm.symbols(part), expected, found)
    if input_size < 1 or hidden_size < 1:
        raise NotAnLSTMError(
            f"layer {address[0]} {address[1]}: expected input and hidden size of at least 1, "
            f"found {input_size} and {hidden_size}."
        )
