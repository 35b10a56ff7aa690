"""Named units are found by their place, whichever quantity they were found by."""

from lstm.address import Address
from lstm.card import Card, NamedUnit


def test_a_unit_is_found_by_layer_direction_and_number():
    first = NamedUnit(Address(0, "forward", "c", 3), "this")
    second = NamedUnit(Address(1, "reverse", "h", 3), "that")
    card = Card(units=(first, second))
    assert card.named(0, "forward", 3) is first
    assert card.named(1, "reverse", 3) is second
    assert card.named(1, "forward", 3) is None
    assert card.named(0, "forward", 2) is None
