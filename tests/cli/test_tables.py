"""How tables look: the levels of a heat map."""

import pytest
from rich.color import Color, ColorSystem

from cli.palette import INK, NEGATIVE, POSITIVE, SHARE
from cli.tables import heat_style

SYSTEMS = (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT)


def luminance(color):
    """Relative luminance as WCAG 2 defines it."""
    parts = [part / 255 for part in color.get_truecolor()]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(part * share for part, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_level_has_a_colour_of_its_own(system):
    for scale in (NEGATIVE + POSITIVE, SHARE):
        shown = {Color.parse(color).downgrade(system).get_truecolor() for color in scale}
        assert len(shown) == len(scale)


@pytest.mark.parametrize("system", SYSTEMS)
def test_numbers_can_be_read_on_every_level(system):
    ink = luminance(Color.parse(INK).downgrade(system))
    for color in (*NEGATIVE, *POSITIVE, *SHARE):
        page = luminance(Color.parse(color).downgrade(system))
        assert (ink + 0.05) / (page + 0.05) > 3.5


def test_five_levels_go_from_none_to_the_strongest():
    styles = [heat_style(value, 1.0, True) for value in (0.1, 0.3, 0.5, 0.7, 0.9, -0.9)]
    assert styles == ["", *(f"{INK} on {color}" for color in (*POSITIVE, NEGATIVE[-1]))]
    assert heat_style(float("nan"), 1.0, True) == heat_style(1.0, 0.0, True) == ""
