"""The colours of every table, page and picture."""

from typing import NamedTuple

# A diverging scale for states (blue, orange) and a sequential one for gates, which colour-blind
# people can read. All levels are about equally light and differ in saturation, so that a strong
# value stands out and a weak one recedes on a dark page and on a light one; the weakest is the
# page itself. A terminal of 256 colours has another one for each of them.
NEGATIVE = ("#5c6c82", "#46759f", "#2672c0", "#0067f0")
POSITIVE = ("#826c5c", "#96632e", "#c0641a", "#dc5a00")
SHARE = ("#607570", "#43807a", "#208a7c", "#008f6a")
INK = "#ffffff"


class Theme(NamedTuple):
    """The greys of a page or a picture: ground, raised ground, lines, text, dim text."""

    page: str
    raised: str
    line: str
    text: str
    dim: str


THEMES = {
    "light": Theme("#ffffff", "#f4f5f7", "#d5d9df", "#16191d", "#5b6470"),
    "dark": Theme("#14171b", "#1d2126", "#363c45", "#eceff3", "#a0a9b5"),
}
