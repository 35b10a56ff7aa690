"""`lstm plot`: what the pictures hold, and that they are files of their kind."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from cli.palette import NEGATIVE, POSITIVE, SHARE, THEMES
from cli.plot import WHAT
from lstm.analysis.ledger import Ledger
from lstm.analysis.saturation import Saturation
from weights import load

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

SENTENCE = "the boys near the car"
BEGINNINGS = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF", ".html": b"<!DOCTYPE html>"}


@pytest.fixture
def plotted(done, tmp_path):
    """Return the bytes of a picture."""

    def plot(*arguments, suffix=".svg"):
        path = tmp_path / f"picture{suffix}"
        done("plot", *arguments, "-o", path)
        return path.read_bytes()

    return plot


@pytest.fixture
def charts(plotted):
    """Return the title and the records of each chart of a picture, as its page holds them."""

    def read(*arguments):
        page = plotted(*arguments, suffix=".html").decode()
        start = re.search(r"spec = (?=\{)", page).end()
        spec, _ = json.JSONDecoder().raw_decode(page[start:])
        return list(found(spec))

    def found(spec, title=None, data=None):
        title, data = spec.get("title", title), spec.get("data", data)
        for name in ("vconcat", "hconcat", "concat", "layer"):
            for part in spec.get(name, ()):
                yield from found(part, title, data)
        if "mark" in spec:
            values = data["values"]
            yield title, list(records(values)) if isinstance(values, str) else values

    def records(table):
        names, *lines = table.splitlines()
        for line in lines:
            cells = dict(zip(names.split(","), line.split(","), strict=True))
            yield {
                name: text if name in ("row", "name") else json.loads(text) if text else None
                for name, text in cells.items()
            }

    return read


def field(records, row, steps, rows):
    """Put records back into an array, (rows, steps); nan where there is none."""
    made = np.full((len(rows), steps), np.nan)
    for record in records:
        made[rows.index(record[row]), record["step"]] = record["value"]
    return made


def colors(picture, width, height):
    """What a drawing shows: for each field of numbers, the colour at each (row, column)."""
    for group in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class", "").startswith("mark-symbol role-mark"):
            shown = {}
            for shape in group:
                assert shape.get("transform") == "translate(0,0)"
                color = [int(part) for part in re.findall(r"\d+", shape.get("fill"))]
                for corners in re.findall(r"M([^MZ]+)", shape.get("d")):
                    places = [list(map(int, place.split(","))) for place in corners.split("L")]
                    (left, top), (right, _), (_, bottom), (last, _) = places
                    assert (bottom - top, last) == (height, left)
                    for column in range(left // width, right // width):
                        assert (top // height, column) not in shown
                        shown[top // height, column] = color
            yield shown


def mixed(part, colors):
    """The colour so far on the way, 0 to 1, from the first to the last of several."""
    colors = [list(bytes.fromhex(color[1:])) for color in colors]
    return [
        np.interp(part, np.linspace(0, 1, len(colors)), way) for way in zip(*colors, strict=True)
    ]


def near(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


# What they hold


def test_a_heat_map_holds_the_numbers_of_the_run(charts):
    found = dict(charts("((a)", "-w", "brackets", "--show", "cell,forget"))
    assert list(found) == ["Cell state c", "Forget gate f"]
    cells = [record["value"] for record in found["Cell state c"]]
    assert [round(x) for x in cells] == [1, 2, 2, 1]


def test_a_heat_map_shows_the_units_asked_for_or_those_with_the_largest_cells(charts):
    trace = load().run(SENTENCE)
    chosen = dict(charts(SENTENCE, "--units", "83,3:5", "--show", "hidden"))
    values = field(chosen["Hidden state h"], "row", 5, ["3", "4", "83"])
    near(values, trace.hidden[:, [3, 4, 83]].T)
    every = dict(charts(SENTENCE, "--show", "cell"))["Cell state c"]
    largest = np.argsort(-np.abs(trace.cell).max(axis=0), kind="stable")[:32]
    assert {int(record["row"]) for record in every} == set(largest.tolist())


def test_a_drawing_shows_each_number_by_the_colour_of_its_place(plotted):
    record = load().run(SENTENCE).layers[0].forward
    given = (SENTENCE, "--show", "forget,cell", "--units", "10:15,83")
    units = [*range(10, 15), 83]
    drawn = list(colors(plotted(*given), 34, 11))
    limit = np.quantile(np.abs(record.cell[:, units]).max(axis=0), 0.95, method="lower")
    ground = THEMES["light"].raised
    scales = ((ground, SHARE[-1]), (NEGATIVE[-1], ground, POSITIVE[-1]))
    parts = (record.forget, np.clip(record.cell / limit, -1, 1) / 2 + 0.5)
    assert len(drawn) == 2
    for shown, part, scale in zip(drawn, parts, scales, strict=True):
        assert len(shown) == 5 * 6
        for (row, step), color in shown.items():
            np.testing.assert_allclose(color, mixed(part[step, units[row]], scale), atol=1.5)


def test_a_drawing_of_the_ledger_shows_small_parts_and_nothing_of_what_is_to_come(plotted):
    record = load().run(SENTENCE).layers[0].forward
    (shown,) = colors(plotted(SENTENCE, "--what", "survival"), 34, 34)
    assert set(shown) == {(after, step) for after in range(5) for step in range(after + 1)}
    scale = (THEMES["light"].raised, SHARE[-1])
    for (after, step), color in shown.items():
        left = record.forget[step + 1 : after + 1].prod(axis=0).mean()
        np.testing.assert_allclose(color, mixed(np.sqrt(left), scale), atol=1.5)


def test_less_than_nothing_that_is_left_is_drawn_as_nothing(plotted):
    """A forget gate that is set below zero turns what was there around."""
    given = (SENTENCE, "--what", "survival", "--set", "l0.f@2:=-1")
    (shown,) = colors(plotted(*given), 34, 34)
    ground = list(bytes.fromhex(THEMES["light"].raised[1:]))
    for after, step in ((2, 0), (2, 1), (3, 1), (4, 0)):
        np.testing.assert_allclose(shown.get((after, step), ground), ground, atol=1.5)


def test_a_drawing_of_many_words_has_few_marks(plotted):
    text = " ".join(["the cat sat on a mat and she likes black tea"] * 40)
    drawn = plotted(text, "--show", "forget,cell", "--theme", "dark")
    fields = list(colors(drawn, 4, 11))
    assert [len(shown) for shown in fields] == [440 * 32] * 2
    assert drawn.count(b"<path") < 3000
    assert len(drawn) < 2_000_000


def test_a_page_tells_what_a_number_is_of(plotted):
    page = plotted(SENTENCE, "--show", "forget", suffix=".html").decode()
    assert '"tooltip": [{"field": "step", "type": "ordinal"}, ' in page
    assert '{"field": "row", "title": "unit", "type": "nominal"}' in page
    assert '{"field": "value", "title": "f", "type": "quantitative"}]' in page


def test_each_layer_and_direction_has_its_own(charts, deep):
    found = [title for title, _ in charts("the cat sat", "-w", deep, "--show", "cell")]
    assert found == [
        f"Cell state c, layer {layer}, {way}" for layer in (0, 1) for way in ("forward", "reverse")
    ]
    one = charts("the cat sat", "-w", deep, "--show", "cell", "--layers", "1")
    assert [title for title, _ in one] == found[2:]


def test_a_unit_has_its_states_as_lines_and_its_gates_below(charts):
    record = load().run(SENTENCE).layers[0].forward
    (_, _), (title, lines), (_, gates) = charts(SENTENCE, "--what", "units", "--units", "83")
    assert title == "Unit 83: the subject, which decides the verb, is plural (+) or singular (-)"
    drawn = {(line["name"], line["step"]): line["value"] for line in lines}
    near([drawn["c", step] for step in range(5)], record.cell[:, 83])
    near([drawn["h", step] for step in range(5)], record.hidden[:, 83])
    near(field(gates, "row", 5, ["f", "i", "o"])[1], record.input[:, 83])


def test_the_ledger_is_drawn_words_by_words(charts):
    model = load()
    ledger = Ledger(model.parameters.layers[0].forward, model.run(SENTENCE).layers[0].forward)
    ((_, shares),) = charts(SENTENCE, "--what", "ledger")
    ((title, own),) = charts(SENTENCE, "--what", "ledger", "--units", "83")
    assert title == "Who wrote the memory of unit 83"
    ((_, left),) = charts(SENTENCE, "--what", "survival")
    for entry in ledger.entries():
        sizes = np.abs(entry.shares[1:]).sum(axis=1)
        past = slice(0, entry.step + 1)
        rows = list(range(5))
        near(field(shares, "after", 5, rows)[entry.step, past], (sizes / sizes.sum())[past])
        near(field(own, "after", 5, rows)[entry.step, past], entry.shares[1:, 83][past])
        near(field(left, "after", 5, rows)[entry.step, past], entry.survival[1:].mean(axis=1)[past])
    assert len(shares) == 5 * 6 / 2


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_ledger_of_many_words_is_drawn_by_age(direction, charts, deep):
    words = ["the", "cat", "sat", "cat", "the", "sat", "sat"] * 10
    given = (" ".join(words), "-w", deep, "--warm-up", "the cat", "--layers", "1")
    trace = load(deep).run(" ".join(words), initial_state=load(deep).run("the cat").final)
    ledger = Ledger.of(load(deep), trace, 1, direction)
    drawn, one, left = (
        dict(charts(*given, "--what", what, *units))
        for what, units in (("ledger", ()), ("ledger", ("--units", "1")), ("survival", ()))
    )
    ages = [str(n) for n in range(4)]
    ages += ["4-5", "6-8", "9-16", "17-32", "33-64", "65-69", "before"]
    shares = field(drawn[f"Who wrote the memory, layer 1, {direction}"], "row", 70, ages)
    own = field(one[f"Who wrote the memory of unit 1, layer 1, {direction}"], "row", 70, ages)
    near(shares.sum(axis=0), np.ones(70))
    cell = getattr(trace.layers[1], direction).cell[:, 1]
    np.testing.assert_allclose(own.sum(axis=0), cell, atol=1e-5)  # of six digits each
    later = ["1", "2", "4", "8", "16", "32", "64"]
    (survival,) = (values for title, values in left.items() if title.endswith(direction))
    kept = field(survival, "row", 70, later)
    sign = 1 if direction == "forward" else -1
    for entry in ledger.entries():
        here = entry.step
        sizes = np.abs(entry.shares).sum(axis=1)
        for age in (0, 1, 2, 3):
            if 0 <= (written := here - sign * age) < 70:
                near(shares[age, here], sizes[written + 1] / sizes.sum())
        for row, age in enumerate(map(int, later)):
            if 0 <= (written := here - sign * age) < 70:
                near(kept[row, written], entry.survival[written + 1].mean())
    assert np.isnan(kept[6, 69 if direction == "forward" else 0])


def test_what_was_there_before_the_text_has_a_column(charts, plotted):
    given = (SENTENCE, "--what", "ledger", "--warm-up", "John")
    ((_, shares),) = charts(*given)
    assert {record["step"] for record in shares} == {-1, 0, 1, 2, 3, 4}
    assert ">before<" in plotted(*given).decode()


def test_saturation_counts_every_unit_once_per_gate(charts):
    found = Saturation.of(load().run(SENTENCE).layers[0].forward)
    drawn = charts(SENTENCE, "--what", "saturation")
    titles = [title for title, _ in drawn][1::2]
    assert titles == ["Forget gate f", "Input gate i", "Output gate o"]
    for gate, (_, places) in zip(("forget", "input", "output"), drawn[1::2], strict=True):
        assert sum(place["count"] for place in places) == 128
        for place in places:
            units = [int(unit) for unit in place["units"].split(", ")]
            near(found.shut[gate][units], place["shut"])
            near(found.opened[gate][units], place["open"])


def test_a_unit_by_itself_is_a_small_circle(plotted):
    text = " ".join(["the cat sat on a mat and she likes black tea"] * 10)
    root = ElementTree.fromstring(plotted(text, "--what", "saturation"))
    arcs = [re.match(r"M([\d.]+),0A", e.get("d", "")) for e in root.iter() if e.get("transform")]
    radii = [float(arc[1]) for arc in arcs if arc]
    assert len(radii) > 100
    assert 1 < np.median(radii) < 6
    assert max(radii) < 12


def test_a_contrast_is_the_second_text_minus_the_first(charts, plotted):
    two = ("the boy near the cars", "the boys near the car is")
    given = (*two, "--what", "contrast", "--units", "83")
    drawn = charts(*given)
    traces = [load().run(text) for text in two]
    apart = traces[1].cell[:5] - traces[0].cell
    distances = np.linalg.norm([apart, traces[1].hidden[:5] - traces[0].hidden], axis=2)
    near([record["value"] for record in drawn[1][1]], distances.ravel())
    near([record["value"] for record in drawn[2][1]], apart[:, 83])
    shown = "".join(ElementTree.fromstring(plotted(*given)).itertext())
    assert "boy | boys" in shown


def test_a_contrast_may_be_aligned_at_the_ends_and_tells_what_comes_next(charts):
    two = ("the boys near the car", "I think the boy near the cars")
    drawn = charts(*two, "--what", "contrast", "--units", "83", "--align", "end")
    traces = [load().run(text) for text in two]
    near([record["value"] for record in drawn[2][1]], (traces[1].cell[2:] - traces[0].cell)[:, 83])
    title, bars = drawn[-1]
    assert title == "What comes next"
    for trace, name in zip(traces, ("first text", "second text"), strict=True):
        scores = np.exp(trace.logits[-1].astype(np.float64))
        told = {bar["word"]: bar["value"] for bar in bars if bar["text"] == name}
        ids = [trace.head.names.index(word) for word in told]
        near(list(told.values()), scores[ids] / scores.sum())
        assert trace.forecast(1).predictions[-1][0].name in told


def test_what_comes_next_is_drawn_where_it_differs(charts, deep):
    assert charts("the cat", "the cat", "-w", deep, "--what", "contrast")[-1][0] != "Labels"
    assert charts("the cat", "cat the", "-w", deep, "--what", "contrast")[-1][0] == "Labels"


def test_what_is_set_on_the_way_is_drawn_and_said(charts, plotted):
    given = (SENTENCE, "--set", "l0.c[83]@1:=-3", "--show", "cell", "--units", "83")
    ((_, cells),) = charts(*given)
    assert cells[1]["value"] == -3
    assert "with l0.c[83]@1:=-3" in plotted(*given).decode()


# What they are


@pytest.mark.parametrize("suffix", BEGINNINGS)
def test_a_picture_is_a_file_of_its_kind(plotted, suffix):
    assert plotted("((", "-w", "brackets", suffix=suffix).startswith(BEGINNINGS[suffix])


@pytest.mark.parametrize("what", [what for what in WHAT if what != "contrast"])
def test_every_picture_can_be_drawn_on_a_dark_ground_and_names_its_words(plotted, what, tiny):
    root = ElementTree.fromstring(
        plotted("John likes tea", "-w", tiny, "--what", what, "--theme", "dark")
    )
    shown = "".join(root.itertext())
    assert "John likes tea" in shown
    assert "#14171b" in ElementTree.tostring(root, "unicode")


def test_the_page_of_a_dark_picture_is_dark(plotted):
    page = plotted("((", "-w", "brackets", "--theme", "dark", suffix=".html").decode()
    assert "body { background: #14171b }" in page.split("<body>")[0]


def test_hostile_words_are_words(plotted, tiny):
    text = "<script>alert(1)</script> \"' </script> \u202e &lt;"
    root = ElementTree.fromstring(plotted(text, "-w", tiny, "--show", "cell"))
    assert "script>" in "".join(root.itertext())
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    page = plotted(text, "-w", tiny, "--show", "cell", suffix=".html").decode()
    assert "alert(1)</script>" not in page


def test_what_is_no_number_is_left_blank(plotted, infinite):
    for what in ("heatmap", "units", "saturation"):
        ElementTree.fromstring(
            plotted("nil up", "-w", infinite, "--allow-nonfinite", "--what", what)
        )


def test_many_words_are_not_drawn_over_each_other(plotted):
    root = ElementTree.fromstring(plotted("tea " * 400, "--show", "cell", "--units", "0"))
    words = [e for e in root.iter() if e.text == "tea" and e.get("opacity") != "0"]
    assert 50 < len(words) < 200
    assert float(root.get("width")) < 2000


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("x", "-o", "a.bmp"), 2, "--output: expected a name ending in .svg, .png, .pdf, .html; "
         "found 'a.bmp'."),
        (("x", "--what", "ledger", "--show", "cell", "-o", "a.svg"), 2,
         "--show: ledger has quantities of its own. Leave it out."),
        (("x", "--what", "contrast", "-o", "a.svg"), 2,
         "--what contrast: expected two texts, found 1."),
        (("x", "y", "-o", "a.svg"), 2, "--what heatmap: expected one text, found 2."),
        (("", "-o", "a.svg"), 3, "plot: expected a text of at least one word, found none."),
        (("x", "--units", "128", "-o", "a.svg"), 2,
         "--units: expected units 0 to 127, found 128."),
        (("x", "--align", "end", "-o", "a.svg"), 2,
         "--align: heatmap is of one text. Leave it out."),
        (("tea " * 600, "-o", "a.svg"), 3,
         "plot: expected at most 100,000 marks in a picture, found 115,200. Choose fewer with "
         "--units or --layers, or give less text."),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(refusal, elsewhere, arguments, code, message):
    assert refusal(code, "plot", *arguments) == message
    assert not list(elsewhere.glob("a.*"))


@pytest.mark.parametrize("package", ["altair", "vl_convert"])
def test_without_the_extra_a_sentence_names_it(tmp_path, package):
    arguments = ["lstm", "plot", "((", "-w", "brackets", "-o", str(tmp_path / "a.svg")]
    program = (
        f"import sys; sys.modules[{package!r}] = None; "
        f"sys.argv = {arguments!r}; from cli.start import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr == (
        f"error: a picture needs the package {package}, which is not installed. Install the "
        "extra: pip install 'lstm-cli[plot]'.\n"
    )


def test_every_picture_has_a_name_on_the_command_line():
    from cli.formats.plot.pictures import PICTURES

    assert tuple(PICTURES) == WHAT
