"""A layout is data: every field of it decides something, and a new one needs no code."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from lstm.model import Model
from lstm.parameters import CellParameters, Parameters
from tests.weights.builders import (
    PACKED_IGFO,
    PER_GATE_COLUMNS,
    assert_same,
    golden,
    golden_run,
    golden_weights,
    infos,
    run_as,
    write,
)
from tests.weights.layouts.test_native import GATES as NATIVE_GATES
from tests.weights.layouts.test_textbook import units
from tests.weights.layouts.writers import WRITERS, cell
from weights.containers.registry import open_any
from weights.layouts.detection import check
from weights.layouts.found import FoundLSTM
from weights.layouts.grouping import group
from weights.layouts.keras import CNTK
from weights.layouts.layout import LETTERS, Layout, TensorKind
from weights.layouts.native import NATIVE
from weights.layouts.pytorch import PYTORCH, PYTORCH_CELL
from weights.layouts.registry import LAYOUTS
from weights.layouts.search import find_lstms, find_variant
from weights.layouts.textbook import TEXTBOOK
from weights.reader import read_parameters


def read(path: Path, layout: Layout) -> Parameters:
    """Read a file with a layout that need not be registered."""
    archive = open_any(path)
    (lstm,) = group(find_lstms(layout, archive.tensors))
    check(lstm, archive.tensors)
    return read_parameters(archive, lstm, "float64")


def blocks(name: str) -> dict[str, np.ndarray]:
    """Torch's tensors, one per layer and gate: `0.ih.i` ... in torch's documented order."""
    split = {}
    for key, array in golden_weights(name).items():
        kind, layer = key.rsplit("_l", 1)
        matrix = {"weight_ih": "ih", "weight_hh": "hh"}.get(kind, kind)
        for letter, block in zip("ifgo", np.split(array, 4), strict=True):
            split[f"{layer}.{matrix}.{letter}"] = block
    return split


def test_one_matrix_per_gate_with_outputs_in_columns_is_read_by_its_data(tmp_path: Path) -> None:
    arrays = {}
    for key, block in blocks("three_layers").items():
        layer, matrix, letter = key.split(".")
        gate = "a" if letter == "g" else letter
        if matrix in ("ih", "hh"):
            arrays[f"{layer}/W_{'x' if matrix == 'ih' else 'h'}{gate}"] = block.T.copy()
        else:
            name = f"{layer}/b_{gate}"
            arrays[name] = arrays.get(name, 0) + block.astype(np.float64)
    path = write(tmp_path / "model.safetensors", arrays)
    run = golden_run("three_layers")
    assert_same(run_as(Model(read(path, PER_GATE_COLUMNS)), run), run, 1e-13)


def packed(path: Path, order: str = "igfo") -> Path:
    part = blocks("lstm")

    def pack(matrix: str) -> np.ndarray:
        return np.concatenate([part[f"0.{matrix}.{letter}"] for letter in order])

    bias = pack("bias_ih").astype(np.float64) + pack("bias_hh")
    return write(path, {"kernel": pack("ih"), "recurrent": pack("hh"), "shift": bias})


def test_another_order_of_blocks_is_read_by_its_data(tmp_path: Path) -> None:
    run = golden_run("lstm")
    model = Model(read(packed(tmp_path / "model.safetensors"), PACKED_IGFO))
    assert_same(run_as(model, run), run, 1e-13)


def test_packed_blocks_side_by_side_are_read_by_their_data(tmp_path: Path) -> None:
    """x @ W, blocks along the columns, as in Keras."""
    arrays = golden_weights("no_bias")
    layout = replace(PACKED_IGFO, kinds=PACKED_IGFO.kinds[:2], order="ifgo")
    layout = replace(layout, rows_are_outputs=False)
    path = write(
        tmp_path / "model.safetensors",
        {"kernel": arrays["weight_ih_l0"].T, "recurrent": arrays["weight_hh_l0"].T},
    )
    run = golden_run("no_bias")
    assert_same(run_as(Model(read(path, layout)), run), run, 1e-13)


def test_packed_blocks_over_hidden_state_and_input_are_read_by_their_data(tmp_path: Path) -> None:
    arrays = golden_weights("no_bias")
    both = np.concatenate([arrays["weight_hh_l0"], arrays["weight_ih_l0"]], axis=1)
    layout = Layout("both", "", (TensorKind("both", part="hx"),))
    path = write(tmp_path / "model.safetensors", {"both": both})
    run = golden_run("no_bias")
    assert_same(run_as(Model(read(path, layout)), run), run, 1e-13)


def native_file(path: Path) -> Path:
    random = np.random.default_rng(3)
    arrays = {}
    for direction in ("forward", "reverse"):
        for gate in NATIVE_GATES:
            arrays[f"layers.0.{direction}.{gate}.weight"] = random.standard_normal((3, 7))
            arrays[f"layers.0.{direction}.{gate}.bias"] = random.standard_normal(3)
    return write(path, arrays)


def textbook_file(path: Path) -> Path:
    arrays = {**units(3, 4, "0."), **units(3, 4, "0.reverse.", seed=1)}
    return write(path, arrays)


def file_of(layout: Layout, folder: Path) -> Path:
    if layout is NATIVE:
        return native_file(folder / "model.safetensors")
    if layout is TEXTBOOK:
        return textbook_file(folder / "model.safetensors")
    if layout in (PYTORCH, PYTORCH_CELL):
        return golden("cell" if layout is PYTORCH_CELL else "bidirectional")
    return write(folder / "model.safetensors", WRITERS[layout.name](cell(7)))


def swapped(layout: Layout, one: str, other: str) -> Layout:
    """The layout with two gates exchanged wherever it speaks of gates."""
    letters = str.maketrans(one + other, other + one)
    names = {LETTERS[one]: LETTERS[other], LETTERS[other]: LETTERS[one]}
    gates = {mark: names.get(gate, gate) for mark, gate in layout.gates.items()}
    return replace(layout, order=layout.order.translate(letters), gates=gates)


def outcome(path: Path, layout: Layout) -> object:
    """The parameters as bytes, or the sentence with which they are refused."""
    try:
        found = read(path, layout)
    except Exception as error:  # any refusal will do
        return f"{type(error).__name__}: {error}"
    return [
        array.tobytes()
        for layer in found.layers
        for c in layer.directions.values()
        for array in (*c.arrays, *variant_arrays(c))
    ]


def variant_arrays(found: CellParameters) -> list[np.ndarray]:
    """The arrays by which a cell differs from the standard one."""
    values = [getattr(found.variant, field.name) for field in fields(found.variant)]
    return [value for value in values if isinstance(value, np.ndarray)]


def kinds_in(path: Path, layout: Layout) -> list[TensorKind]:
    """The kinds of which a file has a tensor that counts."""
    (found,) = group(find_lstms(layout, open_any(path).tensors))
    present = {id(part.kind) for part in found.parts if part.kind.part != "alias"}
    return [kind for kind in layout.kinds if id(kind) in present]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize(("one", "other"), ["if", "ig", "io", "fg", "fo", "go"])
def test_swapping_any_two_gates_gives_another_lstm(
    tmp_path: Path, layout: Layout, one: str, other: str
) -> None:
    path = file_of(layout, tmp_path)
    right, wrong = outcome(path, layout), outcome(path, swapped(layout, one, other))
    assert isinstance(right, list)
    # A candidate cannot see the cell; where a layout has peepholes its gates cannot be swapped.
    assert isinstance(wrong, list) or (layout.name == "dynet-coupled" and "g" in one + other)
    assert right != wrong


@pytest.mark.parametrize("layout", [PYTORCH, PYTORCH_CELL], ids=lambda layout: layout.name)
@pytest.mark.parametrize("by", [1, 2, 3])
def test_any_other_order_of_blocks_misses_torch(layout: Layout, by: int) -> None:
    name = "cell" if layout is PYTORCH_CELL else "lstm"
    changed = replace(layout, order=layout.order[by:] + layout.order[:by])
    run = golden_run(name)
    trace = run_as(Model(read(golden(name), changed)), run)
    assert np.abs(trace.hidden.swapaxes(0, 1) - run["hs"]).max() > 0.01


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_side_of_the_outputs_decides(tmp_path: Path, layout: Layout) -> None:
    path = file_of(layout, tmp_path)
    changed = replace(layout, rows_are_outputs=not layout.rows_are_outputs)
    assert "Error" in str(outcome(path, changed))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_part_that_a_matrix_is_decides(tmp_path: Path, layout: Layout) -> None:
    path = file_of(layout, tmp_path)
    other = {"ih": "hh", "hh": "ih", "hx": "ih", "xh": "ih", "bias": "hx", "bias_pair": "bias"}
    other |= {"norm_gain": "bias", "norm_bias": "norm_gain", "cell_norm_gain": "shown"}
    other |= {"cell_norm_bias": "cell_norm_gain", "peephole": "ih", "projection": "shown"}
    right = outcome(path, layout)
    for kind in kinds_in(path, layout):
        kinds = [k._replace(part=other[k.part]) if k is kind else k for k in layout.kinds]
        assert outcome(path, replace(layout, kinds=tuple(kinds))) != right


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_kind_of_tensor_counts(tmp_path: Path, layout: Layout) -> None:
    path = file_of(layout, tmp_path)
    right = outcome(path, layout)
    for kind in kinds_in(path, layout):
        kinds = tuple(k for k in layout.kinds if k is not kind)
        assert outcome(path, replace(layout, kinds=kinds)) != right


@pytest.mark.parametrize("layout", [NATIVE, PYTORCH, TEXTBOOK], ids=lambda layout: layout.name)
def test_the_mark_of_a_direction_decides(tmp_path: Path, layout: Layout) -> None:
    path = file_of(layout, tmp_path)
    changed = {mark: "forward" if d == "reverse" else "reverse" for mark, d in
               layout.directions.items()}  # fmt: skip
    assert outcome(path, replace(layout, directions=changed)) != outcome(path, layout)


def test_square_input_and_recurrent_matrices_are_told_apart_by_their_part(tmp_path: Path) -> None:
    """Where input and hidden size are equal no shape can tell that the two were swapped."""
    random = np.random.default_rng(5)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    shapes = ((12, 3), (12, 3), (12,), (12,))
    arrays = {n: random.standard_normal(s) for n, s in zip(names, shapes, strict=True)}
    found = read(write(tmp_path / "model.safetensors", arrays), PYTORCH).layers[0].forward
    np.testing.assert_array_equal(found.weight_ih, arrays["weight_ih_l0"])
    np.testing.assert_array_equal(found.weight_hh, arrays["weight_hh_l0"])


def test_a_refused_tensor_is_only_refused_by_the_layout_that_lists_it() -> None:
    tensors = infos(W=(4, 12), H=(3, 12), b=(12,), alpha=(1,))
    assert find_variant(FoundLSTM(CNTK, ""), tensors) == ("alpha", "a self-stabiliser")
    assert find_variant(FoundLSTM(CNTK, "decoder."), tensors) is None
    assert find_variant(FoundLSTM(replace(CNTK, refused={}), ""), tensors) is None


def test_an_optional_kind_may_be_missing_and_another_may_not() -> None:
    tensors = infos(weight_ih_l0=(12, 4), weight_hh_l0=(12, 3))
    assert [lstm.prefix for lstm in find_lstms(PYTORCH, tensors)] == [""]
    required = tuple(kind._replace(optional=False) for kind in PYTORCH.kinds)
    assert find_lstms(replace(PYTORCH, kinds=required), tensors) == []


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_names_the_four_gates_once(layout: Layout) -> None:
    every = ["candidate", "forget", "input", "output"]
    if coupled := layout.variant.get("coupled"):
        every.remove(coupled)  # it has no weights of its own
    for kind in layout.kinds:
        if kind.part in ("ih", "hh", "hx", "xh"):
            gates = layout.gates_of(kind)
            found = layout.order_of(kind) if gates == (None,) else gates
            own = [gate for gate in map(str, found) if not gate.startswith("highway")]
            assert sorted(own) in ([], every)
    assert layout.title
    assert layout.source


def test_names_of_layouts_are_unique() -> None:
    names = [layout.name for layout in LAYOUTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "prefix", "layer", "direction"),
    [
        ("weight_ih_l0", "", 0, "forward"),
        ("weight_ih_l12", "", 12, "forward"),
        ("weight_ih_l3_reverse", "", 3, "reverse"),
        ("module.rnn.weight_ih_l1", "module.rnn.", 1, "forward"),
    ],
)
def test_a_name_tells_prefix_layer_and_direction(
    name: str, prefix: str, layer: int, direction: str
) -> None:
    other = name.replace("_ih_", "_hh_")
    (found,) = find_lstms(PYTORCH, infos(**{name: (12, 4), other: (12, 3)}))
    assert (found.prefix, found.parts[0].layer, found.parts[0].direction) == (
        prefix,
        layer,
        direction,
    )
