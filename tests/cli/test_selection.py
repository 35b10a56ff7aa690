"""--show, --layers, --units, --steps: what of a trace is given out."""

import pytest

from lstm.quantities import NAMES
from weights import load

TEXT = "john likes black coffee"


@pytest.fixture(scope="module")
def steps(done):
    """The records of one sequence under some options."""

    def of(weights, *options, text=TEXT):
        return done("run", text, "-w", weights, "--json", *options).json["sequences"][0]["steps"]

    return of


def test_hidden_and_cell_states_are_shown_unless_others_are_named(steps, tiny):
    keys = {"step", "token", "id", "layer", "direction"}
    assert all(set(record) == keys | {"hidden", "cell"} for record in steps(tiny))
    (record, *_) = steps(tiny, "--show", "forget,hidden,forget")
    assert list(record) == ["step", "token", "id", "layer", "direction", "forget", "hidden"]


def test_all_shows_every_quantity_bit_for_bit(steps, deep, same_bits):
    text = "the cat sat"
    trace = load(deep).run(text)
    records = steps(deep, "--show", "all", text=text)
    places = [(r["step"], r["layer"], r["direction"]) for r in records]
    assert places == [
        (step, layer, direction)
        for step in range(3)
        for layer in range(2)
        for direction in ("forward", "reverse")
    ]
    for record in records:
        of = getattr(trace.layers[record["layer"]], record["direction"])
        assert set(NAMES) < set(record)
        for name in NAMES:
            same_bits(record[name], getattr(of, name)[record["step"]])


def test_quantities_are_shown_by_name_in_the_order_that_they_are_named(steps, tiny):
    backwards = tuple(reversed(NAMES))
    for record in steps(tiny, "--show", ",".join(backwards)):
        assert tuple(record)[5:] == backwards


def test_layers_are_chosen_by_number_and_span(steps, deep):
    whole = steps(deep, text="the cat")
    for choice, layers in (("-1", {1}), ("0,1:", {0, 1}), (":1", {0})):
        expected = [record for record in whole if record["layer"] in layers]
        assert steps(deep, "--layers", choice, text="the cat") == expected


def test_steps_are_chosen_by_number_and_span(steps, tiny):
    whole = steps(tiny)
    for choice, chosen in (("0:2,-1", [0, 1, 3]), ("3,0", [0, 3])):
        assert steps(tiny, "--steps", choice) == [whole[step] for step in chosen]


def test_steps_beyond_the_end_of_a_sequence_are_not_there(done):
    given = ("run", "((", "(", "-w", "brackets", "--steps", "1", "--json")
    first, second = done(*given).json["sequences"]
    assert [record["step"] for record in first["steps"]] == [1]
    assert second["steps"] == []


def test_units_are_chosen_by_number_and_span_in_ascending_order(done, valid, tiny):
    whole = done("run", TEXT, "-w", tiny, "--json", "--show", "hidden,layer_input").json
    given = ("--units", "3:,1,-2", "--show", "hidden,layer_input")
    cut = valid("trace", done("run", TEXT, "-w", tiny, "--json", *given).json)
    assert cut["units"] == [1, 3, 4]
    pairs = zip(whole["sequences"][0]["steps"], cut["sequences"][0]["steps"], strict=True)
    for all_of_it, part in pairs:
        assert part["hidden"] == [all_of_it["hidden"][unit] for unit in (1, 3, 4)]
        assert part["layer_input"] == all_of_it["layer_input"]


def test_units_are_those_of_the_layers_that_are_shown(done, uneven, same_bits):
    # layer 0 has three units and layer 1 has two
    given = ("run", "--ids", "0,1", "-w", uneven, "--layers", "0", "--units", "2", "--json")
    result = done(*given)
    trace = load(uneven).run(ids=[0, 1])
    same_bits(
        [record["cell"] for record in result.json["sequences"][0]["steps"]],
        trace.layers[0].forward.cell[:, 2:],
    )


def test_units_from_the_end_are_counted_in_each_layer(done, uneven, same_bits):
    result = done("run", "--ids", "0,1", "-w", uneven, "--units", "-1", "--json")
    trace = load(uneven).run(ids=[0, 1])
    for record in result.json["sequences"][0]["steps"]:
        cell = trace.layers[record["layer"]].forward.cell
        same_bits(record["cell"], cell[record["step"], -1:])


@pytest.mark.parametrize(("digits", "written"), [("0", "1"), ("4", "0.7616"), (None, "0.76")])
def test_digits_are_those_after_the_point_in_tables(done, digits, written):
    options = [] if digits is None else ["--digits", digits]
    lines = done("run", "(", "-w", "brackets", "--show", "hidden", *options).lines
    assert lines[-2].split() == ["0", "(", written]
