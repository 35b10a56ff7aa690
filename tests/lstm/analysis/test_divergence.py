"""Where two records part: by hand arithmetic and by laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm.analysis.divergence import Tolerance, Tolerances, compare, ulp_distance
from lstm.analysis.recording import Place, Recording, Series
from lstm.errors import LSTMError
from lstm.model import Model
from tests.strategies import cases, few

EXACT = Tolerance(0.0, 0.0)
H0 = Place(0, "forward", "hidden")
C0 = Place(0, "forward", "cell")
H1 = Place(1, "forward", "hidden")


def of(places):
    return [Recording({place: Series.whole(np.array(a)) for place, a in places.items()})]


def changed(array, *at, by=1.0):
    new = np.array(array, np.float64)
    new[at] += by
    return new


ZEROS = np.zeros((4, 3))


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        (1.0, 1.0, 0),
        (1.0, 1.0 + 2.0**-23, 1),
        (1.0, 2.0, 2**23),  # a binade holds 2^23 float32 numbers
        (0.0, -0.0, 0),
        (2.0**-149, -(2.0**-149), 2),  # the smallest on either side of zero
        (np.float32(3.4028235e38), np.inf, 1),
        (-1.0, -2.0, 2**23),
    ],
)
def test_ulp_distance_counts_float32_numbers(one, other, distance):
    assert int(ulp_distance(one, other)) == distance == int(ulp_distance(other, one))


def test_equal_records_are_the_same_and_differ_nowhere():
    side = of({H0: [[1.0, -2.0], [3.0, 0.5], [0.0, 9.0]]})
    found = compare(side, side, Tolerances(EXACT))
    assert found.same
    assert found.first is None
    assert found.quantities[0].largest.absolute == 0
    assert found.quantities[0].compared == 6
    assert found.quantities[0].growth.tolist() == [0, 0, 0]


def test_a_difference_is_told_with_its_place_and_its_size():
    left = of({C0: ZEROS, H0: [[0, 0, 4.0], [0, 0, 0], [0, 2.0, 0], [0, 0, 0]]})
    right = of({C0: ZEROS, H0: [[0, 0, 4.0], [0, 0, 0], [0, 3.0, 0], [0, 0, 0.25]]})
    first = compare(left, right).first
    assert repr(first.address) == "l0.h[1]@2"
    assert (first.sequence, first.left, first.right) == (0, 2.0, 3.0)
    assert first.absolute == 1.0
    assert first.relative == 1 / 3
    assert first.ulps == 2**22
    assert (first.beyond, first.width) == (1, 3)


def test_of_the_units_at_the_first_place_the_one_most_apart_is_named():
    right = of({H0: [[0, 0, 0], [0.5, -3.0, 1.0], [9, 9, 9], [0, 0, 0]]})
    first = compare(of({H0: ZEROS}), right).first
    assert repr(first.address) == "l0.h[1]@1"
    assert first.beyond == 3


def test_the_largest_difference_and_the_growth_are_told_for_each_quantity():
    right = of(
        {C0: changed(ZEROS, 1, 2, by=0.5), H0: [[0, 0, 1], [0, -8, 0], [0, 2, 0], [0, 0, 0]]}
    )
    cell, hidden = compare(of({C0: ZEROS, H0: ZEROS}), right).quantities
    assert (cell.name, hidden.name) == ("cell", "hidden")
    assert repr(cell.largest.address) == "l0.c[2]@1"
    assert repr(hidden.largest.address) == "l0.h[1]@1"
    assert hidden.growth.tolist() == [1, 8, 2, 0]
    assert (hidden.beyond, hidden.compared) == (3, 12)
    assert cell.growth.tolist() == [0, 0.5, 0, 0]


def test_quantities_at_one_step_come_in_the_order_in_which_they_are_computed():
    names = (
        "layer_input", "pre_forget", "pre_input", "pre_candidate", "pre_output", "forget", "input",
        "candidate", "output", "input_candidate", "forget_cell", "cell", "tanh_cell", "hidden",
    )  # fmt: skip
    for n, name in enumerate(names):
        left = of({Place(0, "forward", one): ZEROS for one in names})
        right = of({Place(0, "forward", one): ZEROS + (names.index(one) >= n) for one in names})
        assert compare(left, right).first.place.quantity == name


def test_in_one_direction_an_earlier_step_comes_before_a_lower_layer():
    left = of({H0: ZEROS, H1: ZEROS})
    right = of({H0: changed(ZEROS, 2, 0), H1: changed(ZEROS, 1, 0)})
    assert repr(compare(left, right).first.address) == "l1.h[0]@1"
    right = of({H0: changed(ZEROS, 2, 0), H1: changed(ZEROS, 2, 0)})
    assert repr(compare(left, right).first.address) == "l0.h[0]@2"


def test_in_two_directions_a_lower_layer_comes_before_an_earlier_step():
    back = Place(0, "reverse", "hidden")
    left = of({H0: ZEROS, back: ZEROS, H1: ZEROS})
    right = of({H0: changed(ZEROS, 3, 0), back: ZEROS, H1: changed(ZEROS, 0, 0)})
    assert repr(compare(left, right).first.address) == "l0.h[0]@3"


def test_a_reverse_direction_is_walked_from_its_end():
    back = Place(0, "reverse", "hidden")
    left = of({back: ZEROS})
    right = of({back: changed(changed(ZEROS, 0, 1), 2, 1)})
    assert repr(compare(left, right).first.address) == "l0.reverse.h[1]@2"
    # read at the same moment, the forward direction comes first
    left, right = (
        of({H0: ZEROS, back: ZEROS}),
        of({H0: changed(ZEROS, 1, 0), back: right[0].series[back].values}),
    )
    assert repr(compare(left, right).first.address) == "l0.h[0]@1"


def test_an_earlier_sequence_comes_first():
    left = of({H0: ZEROS}) * 3
    right = [*of({H0: ZEROS}), *of({H0: changed(ZEROS, 3, 0)}), *of({H0: changed(ZEROS, 0, 0)})]
    assert (compare(left, right).first.sequence, compare(left, right).first.step) == (1, 3)


@pytest.mark.parametrize(
    ("tolerance", "same"),
    [
        (Tolerance(0.5, 0.0), True),
        (Tolerance(0.4, 0.0), False),
        (Tolerance(0.0, 0.2), True),  # 0.2 * 2.5
        (Tolerance(0.0, 0.19), False),
        (Tolerance(0.25, 0.1), True),  # 0.25 + 0.1 * 2.5
        (Tolerance(0.0, 0.0, 2**21), True),  # a quarter of the 2^23 numbers from 2 to 4
        (Tolerance(0.0, 0.0, 2**21 - 1), False),
        (Tolerance(0.5, 0.0, 0), True),
    ],
)
def test_numbers_agree_within_any_of_the_tolerances(tolerance, same):
    two, more = of({H0: [[2.0]]}), of({H0: [[2.5]]})
    assert compare(two, more, Tolerances(tolerance)).same is same
    assert compare(more, two, Tolerances(tolerance)).same is same


def test_a_quantity_may_have_its_own_tolerance():
    left, right = of({C0: ZEROS, H0: ZEROS}), of({C0: ZEROS + 0.5, H0: ZEROS + 0.5})
    found = compare(left, right, Tolerances(EXACT, {"cell": Tolerance(1.0)}))
    assert found.first.place.quantity == "hidden"
    assert [one.beyond for one in found.quantities] == [0, 12]


def test_nan_equals_nan_only_where_asked():
    side = of({H0: [[np.nan, 1.0]]})
    found = compare(side, side)
    assert not found.same
    assert found.first.absolute == np.inf
    assert found.first.ulps is None
    assert compare(side, side, Tolerances(equal_nan=True)).same
    other = of({H0: [[0.0, 1.0]]})
    assert not compare(side, other, Tolerances(Tolerance(9e9, 9e9, 2**40), equal_nan=True)).same


def test_infinity_equals_itself_and_nothing_else():
    side = of({H0: [[np.inf]]})
    assert compare(side, side, Tolerances(EXACT)).same
    for other in (-np.inf, 1e30, np.nan):
        assert not compare(side, of({H0: [[other]]})).same


def test_a_float32_side_is_compared_in_float32():
    wide = np.array([[0.1, 0.7]])
    narrow = of({H0: wide.astype(np.float32)})
    assert compare(of({H0: wide}), narrow, Tolerances(EXACT)).same
    assert not compare(of({H0: wide}), of({H0: wide + 1e-12}), Tolerances(EXACT)).same


def test_other_numbers_of_sequences_steps_and_units_are_differences_in_words():
    left, right = of({H0: ZEROS}) * 2, of({H0: ZEROS})
    found = compare(left, right)
    assert (found.same, found.first) == (False, None)
    assert found.structure.differs == ("A has 2 sequences, B has 1",)
    found = compare(of({H0: ZEROS}), of({H0: ZEROS[:1]}))
    assert found.structure.differs == ("A has 4 steps, B has 1",)
    assert found.quantities[0].compared == 3
    found = compare(of({H0: ZEROS, C0: ZEROS}), of({H0: ZEROS[:, :2], C0: ZEROS[:, :2]}))
    assert found.structure.differs == ("layer 0: A has 3 units, B has 2",)


def test_what_only_one_side_tells_is_named_and_no_difference():
    left = of({C0: ZEROS, H0: ZEROS, H1: ZEROS})
    right = of({H0: ZEROS, Place(0, "forward", "forget"): ZEROS})
    found = compare(left, right)
    assert found.same
    assert found.structure.only_left == ("layer 1 forward", "cell")
    assert found.structure.only_right == ("forget",)


def test_between_whole_records_a_missing_layer_is_a_difference():
    found = compare(of({H0: ZEROS, H1: ZEROS}), of({H0: ZEROS}), whole=True)
    assert not found.same
    assert found.structure.differs == ("only one side has layer 1 forward",)


def test_nothing_in_common_is_an_error():
    with pytest.raises(LSTMError, match=r"nothing to compare: A holds l0\.h, B l0\.c\."):
        compare(of({H0: ZEROS}), of({C0: ZEROS}))


def test_chosen_units_are_compared_by_their_number():
    values = np.arange(12.0).reshape(4, 3)
    part = Series(values[:, [2, 0]], np.arange(4), np.array([2, 0]), chosen=True)
    found = compare(of({H0: values}), [Recording({H0: part})])
    assert found.same
    assert found.quantities[0].compared == 8
    assert found.structure.chosen == ("layer 0: 2 of 3 units are compared",)


def test_steps_are_compared_by_their_number():
    values = np.arange(12.0).reshape(4, 3)
    part = Series(values[2:], np.array([2, 3]), np.arange(3))
    found = compare(of({H0: values}), [Recording({H0: part})])
    assert found.first is None
    assert np.isnan(found.quantities[0].growth[:2]).all()
    assert found.quantities[0].growth[2:].tolist() == [0, 0]


def test_an_empty_sequence_agrees_with_itself():
    side = of({H0: np.zeros((0, 3))})
    found = compare(side, side)
    assert found.same
    assert found.quantities[0].largest is None


@few
@given(cases(), st.floats(1e-3, 1), st.integers(0, 2**31))
def test_a_changed_number_is_found_from_either_side(case, amount, seed):
    ours = Recording.of(Model(case.parameters).run(vectors=case.vectors, initial_state=case.state))
    random = np.random.default_rng(seed)
    place = list(ours.series)[random.integers(len(ours.series))]
    values = ours.series[place].values
    at = tuple(int(random.integers(size)) for size in values.shape)
    theirs = Recording({**ours.series, place: Series.whole(changed(values, *at, by=amount * 9))})
    for left, right in ((ours, theirs), (theirs, ours)):
        first = compare([left], [right]).first
        assert first.address == place.address(at[1], at[0])
        assert first.beyond == 1
    assert compare([ours], [ours], Tolerances(EXACT)).same
