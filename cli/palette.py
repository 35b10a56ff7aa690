"""The colours of every table, page and picture."""

# A diverging scale for states (blue, orange) and a sequential one for gates, which colour-blind
# people can read. All levels are about equally light and differ in saturation, so that a strong
# value stands out and a weak one recedes on a dark page and on a light one; the weakest is the
# page itself. A terminal of 256 colours has another one for each of them.
NEGATIVE = ("#5c6c82", "#46759f", "#2672c0", "#0067f0")
POSITIVE = ("#826c5c", "#96632e", "#c0641a", "#dc5a00")
SHARE = ("#607570", "#43807a", "#208a7c", "#008f6a")
INK = "#ffffff"
