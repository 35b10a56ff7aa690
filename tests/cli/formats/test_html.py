"""The page: what is in it, and what a browser makes of it."""

import json
import re
import shutil
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pytest

from lstm.analysis.ledger import Ledger
from lstm.quantities import BY_NAME
from weights import load

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SENTENCE = "the boys near the car like it"
NASTY = ("<script>alert(1)</script>", "\"'`", "</script>", "<!--", "a\u2028b", "&lt;", "${data}")


class Parts(HTMLParser):
    """The text of each element that holds some, by tag."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open = (tag, dict(attrs))

    def handle_data(self, data):
        if self.open and data.strip():
            self.found.append((*self.open, data))

    def data(self):
        (text,) = (text for _, attrs, text in self.found if attrs.get("id") == "data")
        return json.loads(text)


def numbers(text, width):
    return np.frombuffer(b64decode(text), "<f4").reshape(-1, width)


# What is in the file


def test_the_page_holds_every_number_of_the_run(done, deep, same_bits):
    data = Parts(done("run", "the cat sat down", "-w", deep, "-f", "html").stdout).data()
    trace = load(deep).run("the cat sat down")
    (sequence,) = data["sequences"]
    assert [word["text"] for word in sequence["words"]] == ["the", "cat", "sat", "down"]
    places = [(cell["layer"], cell["direction"]) for cell in sequence["cells"]]
    assert places == [(0, "forward"), (0, "reverse"), (1, "forward"), (1, "reverse")]
    for (layer, direction), cell in zip(places, sequence["cells"], strict=True):
        record = getattr(trace.layers[layer], direction)
        for quantity in data["quantities"]:
            assert BY_NAME[quantity["name"]].symbol == quantity["symbol"]
            found = numbers(cell["arrays"][quantity["name"]], 3)
            same_bits(found.tolist(), getattr(record, quantity["name"]))


def test_layers_units_and_the_number_of_predictions_can_be_chosen(done, deep, tiny):
    chosen = ("-f", "html", "--layers", "1", "--units", "0,2")
    data = Parts(done("run", "the cat sat", "-w", deep, *chosen).stdout).data()
    cells = data["sequences"][0]["cells"]
    assert {cell["layer"] for cell in cells} == {1}
    trace = load(deep).run("the cat sat")
    kept = trace.layers[1].reverse.cell[:, [0, 2]]
    assert np.array_equal(numbers(cells[1]["arrays"]["cell"], 2), kept)
    data = Parts(done("run", "John likes", "-w", tiny, "-f", "html", "--top-k", "2").stdout).data()
    assert [len(step) for step in data["sequences"][0]["next"]] == [2, 2]
    assert data["named"][0]["tells"] == "nothing at all"


def test_no_text_can_leave_the_place_that_is_meant_for_it(done, tiny):
    page = done("run", " ".join(NASTY), "-w", tiny, "-f", "html").stdout
    parts = Parts(page)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<!--" not in page
    assert "\u2028" not in page
    words = "".join(word["text"] for word in parts.data()["sequences"][0]["words"])
    assert words == "".join(NASTY).replace("\u2028", "")


def test_the_page_asks_for_nothing_from_elsewhere(done):
    page = done("run", SENTENCE, "-f", "html").stdout
    addresses = set(re.findall(r"[a-z]+://[^\"' ]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, which nobody opens
    assert "default-src 'none'" in page


@pytest.mark.parametrize("option", [("--show", "cell"), ("--steps", "0:2"), ("--digits", "3")])
def test_an_option_that_the_page_cannot_heed_is_refused(refusal, option):
    message = refusal(2, "run", SENTENCE, "-f", "html", *option)
    assert message.startswith(f"{option[0]}: ")
    assert "Leave it out." in message


def test_a_text_that_is_too_long_for_a_page_is_refused_with_its_size(refusal):
    ids = ",".join("01" * 5001)
    message = refusal(3, "run", "--ids", ids, "-w", "parity", "-f", "html")
    assert message == (
        "html: expected at most 10,000 steps on a page, found 10,002 or more. Give less text, or "
        "choose --format npz."
    )
    message = refusal(3, "run", "tea " * 6000, "-f", "html")
    assert message.startswith("html: expected at most 32 MB of numbers on a page, found 33 MB or")
    assert "--units" in message


def test_a_page_of_nothing_is_refused(refusal):
    message = refusal(3, "run", "-", "-f", "html", stdin="")
    assert message == "html: expected at least one sequence, found none."


def test_a_text_without_words_has_a_page(done):
    (sequence,) = Parts(done("run", "", "-f", "html").stdout).data()["sequences"]
    assert sequence["words"] == []
    assert set(sequence["cells"][0]["arrays"].values()) == {""}


# What a browser makes of it


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, done, tmp_path):
    """Open the page of a run; at the end, nothing may have gone wrong or left the disk."""
    wrong, asked = [], []

    def visit(*arguments, width=1000, scheme="light"):
        path = tmp_path / "trace.html"
        done("run", *arguments, "-o", path)
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield visit
    assert wrong == []
    assert all(url.startswith(("file:", "data:")) for url in asked)


def gates(page):
    return page.locator("#gates dd").all_inner_texts()


def shares(page, which):
    rows = page.locator(f"#{which} li[data-step]").all()
    return {
        int(row.get_attribute("data-step")): float(row.get_attribute("data-value")) for row in rows
    }


def choose(page, pattern):
    page.fill("#pattern", pattern)
    return page.locator("#strips .strip").first.locator("i").count()


def test_a_click_on_a_word_shows_its_gates_and_what_comes_next(opened):
    page = opened(SENTENCE)
    record = load().run(SENTENCE).layers[0].forward
    for step in (1, 4):
        page.locator("#words button").nth(step).click()
        parts = (
            1 - record.forget[step].mean(),
            record.input[step].mean(),
            record.output[step].mean(),
        )
        assert gates(page) == [f"{part:.0%}" for part in parts]
        assert page.locator("#step-title").inner_text() == f"Step {step}: {SENTENCE.split()[step]}"
    best = load().run(SENTENCE).forecast(1).predictions[4][0]
    assert page.locator("#next bdi").first.inner_text() == best.name


def test_the_memory_is_the_ledgers(opened):
    page = opened(SENTENCE, "--warm-up", "the girls")
    model = load()
    trace = model.run(SENTENCE, initial_state=model.run("the girls").final)
    record = trace.layers[0].forward
    entry = Ledger(model.parameters.layers[0].forward, record).entry(5)
    page.locator("#words button").nth(5).click()
    page.locator("#named button").first.click()  # l0.c[83]
    for step, share in shares(page, "own").items():
        assert share == pytest.approx(entry.shares[step + 1, 83], rel=1e-5, abs=1e-9)
    assert set(shares(page, "own")) == set(range(-1, 6))
    sizes = np.abs(entry.shares).sum(axis=1)
    for step, share in shares(page, "all").items():
        assert share == pytest.approx(sizes[step + 1] / sizes.sum(), rel=1e-5)
    total = page.locator("#own li").last
    assert float(total.get_attribute("data-value")) == record.cell[5, 83]
    assert "no number" not in page.locator("#own").inner_text()


def test_what_a_reverse_direction_remembers_comes_from_the_words_after(opened, deep):
    page = opened("the cat sat down here", "-w", deep)
    page.select_option("#cell", label="1 reverse")
    page.locator("#words button").nth(2).click()
    choose(page, "1")
    model = load(deep)
    record = model.run("the cat sat down here").layers[1].reverse
    entry = Ledger(model.parameters.layers[1].reverse, record).entry(2)
    found = shares(page, "own")
    assert set(found) == {2, 3, 4}
    for step, share in found.items():
        assert share == pytest.approx(entry.shares[step + 1, 1], rel=1e-5)
    assert "l1.reverse.c[1]" in page.locator("#unit-title").inner_text()
    assert page.locator("#predictions h2").inner_text() == "Labels"


def test_what_is_set_counts_as_written_at_its_step_and_that_is_said(opened):
    page = opened(SENTENCE, "--set", "l0.c[83]@1:=-3")
    page.locator("#words button").nth(1).click()
    assert shares(page, "own") == {1: -3.0}
    assert "with l0.c[83]@1:=-3" in page.locator("#about").inner_text()
    said = "A state that is set to another value counts as written at that step."
    assert said in page.locator("#account").inner_text()
    assert said not in opened(SENTENCE).locator("#account").inner_text()


def test_units_are_chosen_by_number_span_address_or_meaning(opened):
    page = opened(SENTENCE)
    assert choose(page, "") == 128
    assert choose(page, "0:8,12") == 9
    assert choose(page, "-3:") == 3
    assert choose(page, "l0.c[83]") == 1
    assert choose(page, "plural") == 2  # the subject's number, and that of the noun to come
    assert choose(page, "no such thing") == 0
    assert page.locator("#found").inner_text() == "No unit is so numbered or named."
    page.locator("#named button").nth(1).click()
    assert "l0.c[98]" in page.locator("#unit-title").inner_text()
    assert "bare verb follows" in page.locator("#meaning").inner_text()
    assert choose(page, "") == 128


def test_it_is_led_by_the_keyboard_alone(opened):
    page = opened(SENTENCE)
    current = page.locator("#words [aria-current]")
    for key, word in (("ArrowRight", "boys"), ("End", "it"), ("ArrowRight", "it"),
                      ("ArrowLeft", "like"), ("Home", "the")):  # fmt: skip
        page.keyboard.press(key)
        assert current.inner_text() == word
    page.keyboard.press("ArrowDown")
    assert "l0.c[84]" in page.locator("#unit-title").inner_text()
    page.keyboard.press("ArrowUp")
    assert "l0.c[83]" in page.locator("#unit-title").inner_text()
    page.locator("#pattern").focus()
    page.keyboard.type("7")
    page.keyboard.press("ArrowRight")  # moves in the field, not in the text
    assert current.inner_text() == "the"
    assert "l0.c[7]" in page.locator("#unit-title").inner_text()


def test_hovering_tells_the_number(opened):
    page = opened("John likes coffee")
    page.locator("#strips .strip").nth(4).locator("i").nth(83).hover()
    value = load().run("John likes coffee").cell[0, 83]
    address, number = page.locator("#tip").inner_text().split(" = ")
    assert address == "l0.c[83]@0"
    assert float(number) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_it_without_scrolling_sideways(opened, scheme):
    page = opened(" ".join([*SENTENCE.split(), "x" * 200]), width=360, scheme=scheme)
    page.keyboard.press("End")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("#words button").nth(2).click()
    assert page.locator("#step-title").inner_text() == "Step 2: near"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is (scheme == "light")


def contrast(page, element):
    """The contrast of a text with what is behind it, as WCAG 2 defines it."""
    colors = element.evaluate(
        "e => [getComputedStyle(document.body).backgroundColor, getComputedStyle(e)"
        ".backgroundColor, getComputedStyle(e).color]"
    )
    page, behind, text = ([float(x) for x in re.findall(r"[\d.]+", color)] for color in colors)
    strength = behind[3] if len(behind) == 4 else 1.0
    mixed = np.array(page[:3]) * (1 - strength) + np.array(behind[:3]) * strength
    linear = [((x / 255 + 0.055) / 1.055) ** 2.4 for x in (mixed, np.array(text[:3]))]
    dark, light = sorted(float(x @ [0.2126, 0.7152, 0.0722]) for x in linear)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_number_can_be_read_on_its_colour(opened, scheme):
    page = opened("the boys near the car that she does not want", scheme=scheme)
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        shown = [*page.locator("#named output").all(), *page.locator("#words button").all()]
        assert min(contrast(page, element) for element in shown) > 3.8
    assert page.locator("[data-ink=light]").count() > 0
    assert page.locator("[data-ink=dark]").count() > 0


def test_hostile_words_are_words(opened, tiny):
    page = opened(" ".join(NASTY), "-w", tiny)
    shown = "".join(page.locator("#words button").all_inner_texts())
    assert shown == "".join(NASTY).replace("\u2028", "")
    for button in page.locator("#words button").all():
        button.click()
    assert page.locator("h1 script, #words script").count() == 0


def test_several_texts_vectors_and_numbers_that_are_none(opened, infinite, wide, tmp_path):
    page = opened("up down", "nil up down", "-w", infinite, "--allow-nonfinite")
    page.select_option("#sequence", "1")
    assert page.locator("#words button").count() == 3
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    np.save(tmp_path / "x.npy", np.random.default_rng(1).normal(size=(5, 2)))
    page = opened("--vectors", tmp_path / "x.npy", "-w", wide)
    page.locator("#words button").nth(3).click()
    assert page.locator("#step-title").inner_text() == "Step 3"
    assert page.locator("#predictions").is_hidden()
    assert page.locator("#naming").is_hidden()


def test_a_text_without_words_is_a_page_without_words(opened):
    page = opened("", "-w", "brackets")
    assert page.locator("#words button").count() == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
