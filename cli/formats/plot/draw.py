"""Pictures drawn by Altair and turned into files by vl-convert, without a browser."""

from __future__ import annotations

import json
from io import BytesIO, StringIO
from typing import Any

import numpy as np

from cli.formats.plot.field import plain, shapes, table
from cli.formats.plot.parts import Bars, Heat, Lines, Part, Picture, Points
from cli.palette import NEGATIVE, POSITIVE, SHARE, THEMES, Theme
from lstm.errors import LSTMError, MissingExtraError

FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"
# What a reader's program still opens, and what is drawn in some seconds.
MOST_MARKS = 100_000
FEW = 8  # units at one place have the largest circle, so that single ones have a small one
WIDEST = 1300  # of all steps beside each other, in pixels, as long as a step has 4 of them
NUMBERS = ("step", "after", "value")  # columns of a table, the others are names
# The words on the axis; before the first stands what was there before the text.
WORDS = "datum.value < 0 ? 'before' : words[datum.value]"


def draw(picture: Picture, theme: str, suffix: str) -> bytes:
    """Return the bytes of a file: .svg, .png, .pdf or .html.

    Raises:
        MissingExtraError: Altair or vl-convert is not installed.
        LSTMError: there is more to draw than a picture can hold.
    """
    try:
        import altair
        import vl_convert  # noqa: F401  # Altair takes it when it writes
    except ImportError as error:
        raise MissingExtraError(error.name or "altair", "plot", "a picture") from None
    marks = sum(_marks(part) for row in picture.rows for part in row)
    if marks > MOST_MARKS:
        raise LSTMError(
            f"plot: expected at most {MOST_MARKS:,} marks in a picture, found {marks:,}. Choose "
            "fewer with --units or --layers, or give less text."
        )
    altair.data_transformers.disable_max_rows()
    return _Drawing(altair, picture, THEMES[theme], suffix).written()


def _marks(part: Part) -> int:
    if isinstance(part, Heat):
        return int(np.count_nonzero(part.values)) if not part.rows else part.values.size
    return len(part.units) if isinstance(part, Points) else sum(map(len, part.series.values()))


class _InScript(json.JSONEncoder):
    """JSON in which no text can end the script that holds it."""

    def encode(self, o: Any) -> str:
        return super().encode(o).replace("<", "\\u003c")


class _Drawing:
    """One picture; `alt` is Altair, which is imported where it is needed."""

    def __init__(self, alt: Any, picture: Picture, theme: Theme, suffix: str) -> None:
        self.alt, self.picture, self.theme, self.suffix = alt, picture, theme, suffix
        self.step = min(max(WIDEST // max(len(picture.words), 1), 4), 34)

    def written(self) -> bytes:
        chart, suffix = self._chart(), self.suffix
        if suffix in (".svg", ".html"):
            text = StringIO()
            page = {"inline": True, "json_kwds": {"cls": _InScript}}
            more = page if suffix == ".html" else {}
            chart.save(text, format=suffix[1:], **more)
            ground = f"<head><style>body {{ background: {self.theme.page} }}</style>"
            return text.getvalue().replace("<head>", ground, 1).encode()
        data = BytesIO()
        chart.save(data, format=suffix[1:], **({"scale_factor": 2} if suffix == ".png" else {}))
        return data.getvalue()

    def _chart(self) -> Any:
        alt, theme = self.alt, self.theme
        title = alt.TitleParams(self.picture.title, subtitle=self.picture.subtitle, offset=18)
        chart = alt.vconcat(*(self._row(row) for row in self.picture.rows), title=title)
        words = alt.param(name="words", value=list(self.picture.words))
        grey = {"labelColor": theme.dim, "titleColor": theme.dim}
        return (
            chart.add_params(words)
            .resolve_scale(color="independent")
            .configure(font=FONT, background=theme.page, padding=16)
            .configure_view(stroke=None)
            .configure_axis(domain=False, ticks=False, grid=False, labelFontSize=10, **grey)
            .configure_axisY(minExtent=30)
            .configure_legend(labelFontSize=10, titleFontSize=10, gradientThickness=10, **grey)
            .configure_title(
                color=theme.text, subtitleColor=theme.dim, fontSize=13, subtitleFontSize=11,
                subtitlePadding=4, anchor="start", frame="group",
            )
        )  # fmt: skip

    def _row(self, parts: tuple[Part, ...]) -> Any:
        width = self.step * len(self.picture.words) + 120
        charts = [self._part(part) for part in parts]
        if len(charts) == 1:
            return charts[0]
        columns = len(charts) if isinstance(parts[0], Points) else max(1, min(3, 1600 // width))
        joined = self.alt.concat(*charts, columns=columns, spacing=24)
        return joined.resolve_scale(color="independent", size="shared")

    def _part(self, part: Part) -> Any:
        if isinstance(part, Heat):
            return self._heat(part)
        if isinstance(part, Lines):
            return self._lines(part)
        return self._bars(part) if isinstance(part, Bars) else self._points(part)

    def _heat(self, heat: Heat) -> Any:
        alt = self.alt
        row = "row" if heat.rows else "after"
        # Words by words are squares, with words on both sides.
        height = heat.height if heat.rows else self.step
        num_rows, num_steps = heat.values.shape
        words = {} if heat.rows else {"labelExpr": WORDS, "labelOverlap": self._overlap}
        axis = alt.Axis(titleAngle=0, titleAlign="right", titlePadding=8, **words)
        rows = list(heat.rows or range(num_rows))
        x = self._words(list(range(heat.first, heat.first + num_steps)))
        y = alt.Y(f"{row}:O", scale=alt.Scale(domain=rows), title=heat.row_title, axis=axis)
        color = self._color(heat, height * num_rows)
        if self.suffix == ".html":  # one mark per number, which it tells to whoever points at it
            numbers = table(row, rows, heat.values, heat.first)
            cells = alt.Chart(self._data(numbers)).mark_rect(strokeWidth=0)
            name = alt.Tooltip(f"{row}:N", title=heat.row_title or "row")
            told = ["step:O", name, alt.Tooltip("value:Q", title=heat.measure)]
            drawn = cells.encode(x=x, y=y, color=color, tooltip=told)
        else:
            axes = alt.Chart(alt.Data(values=[])).mark_rect().encode(x=x, y=y)
            drawn = axes + self._shapes(heat, height).encode(color=color)
        size = {"width": self.step * num_steps, "height": height * num_rows}
        return drawn.properties(title=heat.title, **size)

    def _data(self, table: str) -> Any:
        """What is written as CSV goes past Altair, which would look at every number."""
        numbers = [name for name in table.split("\n", 1)[0].split(",") if name in NUMBERS]
        form = {"type": "csv", "parse": dict.fromkeys(numbers, "number")}
        return self.alt.Data(values=table, format=form)

    def _shapes(self, heat: Heat, height: int) -> Any:
        """One mark per colour: a shape of the size in which it is given, from the corner on."""
        alt, corner = self.alt, self.alt.value(0)
        chart = alt.Chart(self._data(shapes(heat, self.step, height)))
        path = alt.Shape("path:N", scale=None, legend=None)
        mark = {"filled": True, "size": 4, "opacity": 1, "strokeWidth": 0, "aria": False}
        return chart.mark_point(**mark).encode(x=corner, y=corner, shape=path)

    def _words(self, steps: list[int]) -> Any:
        """The axis of the steps: words aslant, upright where they are many."""
        turned = {"labelAngle": -45 if self.step >= 14 else -90, "labelAlign": "right"}
        axis = self.alt.Axis(labelExpr=WORDS, labelLimit=120, labelOverlap=self._overlap, **turned)
        return self.alt.X("step:O", scale=self.alt.Scale(domain=steps), title=None, axis=axis)

    @property
    def _overlap(self) -> Any:
        """Whether words are left out: only where they would lie upon each other."""
        return "greedy" if self.step < 11 else False

    def _color(self, heat: Heat, height: int) -> Any:
        """Blue and orange around zero, or green from zero on; zero is the raised ground."""
        colors, domain = [self.theme.raised, SHARE[-1]], [0.0, heat.limit]
        if heat.diverging:
            colors, domain = [NEGATIVE[-1], *colors], [-heat.limit, *domain]
            colors[-1] = POSITIVE[-1]
        form = {"type": "sqrt"} if heat.is_rooted else {}
        scale = self.alt.Scale(domain=domain, range=colors, interpolate="rgb", clamp=True, **form)
        legend = self.alt.Legend(gradientLength=max(min(height - 20, 80), 24), tickCount=2)
        return self.alt.Color("value:Q", title=heat.measure, scale=scale, legend=legend)

    def _lines(self, lines: Lines) -> Any:
        """Lines over the steps; the words stand below what comes next."""
        alt, theme, names = self.alt, self.theme, list(lines.series)
        y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4))
        told = {"title": lines.measure, "sort": names}
        colors = alt.Scale(domain=names, range=[POSITIVE[-1], NEGATIVE[-1]][: len(names)])
        drawn = (
            alt.Chart(self._data(table("name", names, lines.series.values())))
            .mark_line(point=self.step >= 8, strokeWidth=2 if self.step >= 8 else 1)
            .encode(
                x=alt.X("step:O", axis=None), y=y,
                color=alt.Color("name:N", scale=colors, **told),
                tooltip=["step:O", "name:N", "value:Q"],
            )
        )  # fmt: skip
        zero = alt.Chart(alt.Data(values=[{"value": 0}])).mark_rule(color=theme.line).encode(y=y)
        width = self.step * len(self.picture.words)
        return (zero + drawn).properties(title=lines.title, width=width, height=120)

    def _bars(self, bars: Bars) -> Any:
        """Two bars a word, one for each text, blue and orange as what is minus and plus."""
        alt, names = self.alt, list(bars.series)
        data = [
            {"word": word, "text": name, "value": _plain(x)}
            for name, values in bars.series.items()
            for word, x in zip(bars.words, values, strict=True)
        ]
        colors = alt.Scale(domain=names, range=[NEGATIVE[-1], POSITIVE[-1]])
        x = alt.X("value:Q", title=bars.measure, axis=alt.Axis(format="%", tickCount=4))
        drawn = alt.Chart(alt.Data(values=data)).mark_bar().encode(
            x=x, y=alt.Y("word:N", sort=list(bars.words), title=None),
            yOffset=alt.YOffset("text:N", sort=names),
            color=alt.Color("text:N", scale=colors, title=None),
            tooltip=["word:N", "text:N", "value:Q"],
        )  # fmt: skip
        return drawn.properties(title=bars.title, width=200, height=24 * len(bars.words))

    def _points(self, points: Points) -> Any:
        """Circles as large as there are units at one place; none lies beyond the diagonal."""
        alt, theme = self.alt, self.theme
        ticks = {"format": "%", "values": [0, 0.25, 0.5, 0.75, 1], "gridColor": theme.line}
        axis = alt.Axis(grid=True, labelPadding=14, labelFlush=False, **ticks)
        shares = alt.Scale(domain=[0, 1], padding=0)
        x = alt.X("shut:Q", scale=shares, axis=axis, title="steps at which it is shut")
        y = alt.Y("open:Q", scale=shares, axis=axis, title="steps at which it is open")
        edge = alt.Chart(alt.Data(values=[{"shut": 0, "open": 1}, {"shut": 1, "open": 0}]))
        line = edge.mark_line(color=theme.dim, strokeDash=[3, 3], strokeWidth=1).encode(x=x, y=y)
        places = _places(points)
        most = max(place["count"] for place in places)
        told = alt.Legend(values=sorted({1, (1 + most) // 2, most}), format="d")
        scale = alt.Scale(domain=[0, max(most, FEW)], range=[0, 400])
        size = alt.Size("count:Q", title="units", scale=scale, legend=told)
        dots = alt.Chart(alt.Data(values=places))
        drawn = dots.mark_circle(color=SHARE[-1], opacity=0.7, clip=False).encode(
            x=x, y=y, size=size, tooltip=["units:N", "shut:Q", "open:Q"]
        )
        return (line + drawn).properties(title=points.title, width=260, height=260)


def _places(points: Points) -> list[dict[str, Any]]:
    """The units that lie at each place."""
    units: dict[tuple[Any, Any], list[int]] = {}
    for unit, *place in zip(
        points.units, points.shut.tolist(), points.opened.tolist(), strict=True
    ):
        units.setdefault((place[0], place[1]), []).append(unit)
    return [
        {"shut": shut, "open": opened, "count": len(here), "units": ", ".join(map(str, here))}
        for (shut, opened), here in units.items()
    ]


def _plain(number: float) -> float | None:
    """Return a number as JSON has it."""
    return plain(number) if np.isfinite(number) else None
