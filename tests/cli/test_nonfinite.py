"""Weights that are no numbers, or beyond the format of the run: refused by place, or asked for."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save

SHAPES = {"weight_ih_l0": (12, 2), "weight_hh_l0": (12, 3), "bias_ih_l0": (12,),
          "bias_hh_l0": (12,), "embedding.weight": (4, 2), "fc.weight": (4, 3)}  # fmt: skip


@pytest.fixture
def damaged(tmp_path):
    """Write an LSTM with one number, or several, in place of the sound ones."""

    def write(tensor, *places, value=np.nan, dtype="f4"):
        arrays = {name: np.full(shape, 0.25, dtype) for name, shape in SHAPES.items()}
        for place in places:
            arrays[tensor][place] = value
        (tmp_path / "x.safetensors").write_bytes(save(arrays))
        return tmp_path / "x.safetensors"

    return write


@pytest.mark.parametrize(
    ("tensor", "place"),
    [
        ("weight_ih_l0", (7, 1)), ("bias_hh_l0", (5,)), ("embedding.weight", (3, 0)),
        ("fc.weight", (2, 2)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named_with_its_place(
    refusal, lstm, damaged, tensor, place, value
):
    path = damaged(tensor, place, value=value)
    assert refusal(3, "run", "--ids", "3,1", "-w", path) == (
        f"{path}: {tensor}{list(place)}: expected a finite number, found {value}. The weights are "
        "damaged; to go on all the same, give --allow-nonfinite."
    )
    result = lstm("run", "--ids", "3,1", "-w", path, "--allow-nonfinite", "--json")
    assert result.code == 0
    assert all(line.startswith("note: ") for line in result.stderr.splitlines())
    assert len(result.json["sequences"][0]["steps"]) == 2


def test_several_are_counted(refusal, damaged):
    told = refusal(3, "run", "--ids", "0", "-w", damaged("weight_hh_l0", (2, 1), (9, 0)))
    assert "weight_hh_l0[2, 1]: expected a finite number, found nan, the first of 2" in told


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--ids", "0", "-w"), ("memory", "--ids", "0", "-w"),
        ("explain", "--ids", "0", "-w"),
        ("golden", "--ids", "0", "-w"), ("generate", "a", "-w"), ("tokens", "a", "-w"),
        ("convert",), ("compare", "brackets"), ("sweep", "--ids", "0", "--metric", "p(0)", "-w"),
        ("contrast", "a", "b", "-w"),
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_every_command_that_reads_weights_refuses_them(refusal, damaged, tmp_path, command):
    more = {"convert": ["y.safetensors"], "compare": ["--ids", "0"]}.get(command[0], [])
    told = refusal(3, *command, damaged("weight_hh_l0", (2, 1)), *more)
    assert "weight_hh_l0[2, 1]: expected a finite number, found nan." in told


def test_a_number_that_float32_cannot_hold_is_not_made_infinite_in_silence(lstm, refusal, damaged):
    path = damaged("weight_ih_l0", (7, 1), value=1e300, dtype="f8")
    assert lstm("run", "--ids", "1", "-w", path).code == 0  # in float64, as it is stored
    told = refusal(3, "run", "--ids", "1", "-w", path, "--dtype", "float32")
    assert "weight_ih_l0[7, 1]: expected a finite number, found 1e+300, which float32" in told
    assert "Give --dtype float64, or --allow-nonfinite." in told


@pytest.mark.parametrize("value", [1e-45, -1e-40, 3.4e38, -3.4e38])
def test_the_smallest_and_the_largest_numbers_are_numbers(done, lstm, damaged, value):
    path = damaged("weight_ih_l0", (7, 1), value=value)
    result = lstm("run", "--ids", "3,1", "-w", path, "--show", "all", "--json")
    assert result.code == 0
    assert all(line.startswith("note: ") for line in result.stderr.splitlines())
    assert done("inspect", path, "--stats", "--json").json["lstms"][0]["stats"]["nonfinite"] == []


def test_what_inspect_shows_of_them_needs_no_option(done, damaged):
    path = damaged("weight_ih_l0", (7, 1), value=np.inf)
    (found,) = done("inspect", path, "--stats", "--json").json["lstms"]
    assert found["stats"]["nonfinite"] == [
        {"tensor": "weight_ih_l0", "what": "infinity", "count": 1, "first": [7, 1]}
    ]


def test_a_gate_order_that_names_a_gate_twice_is_a_fault_of_the_command_line(refusal, damaged):
    path = damaged("weight_ih_l0")
    told = refusal(2, "run", "--ids", "0", "-w", path, "--gate-order", "iiii")
    assert "expected the letters i, f, g and o, found 'iiii'." in told
