"""`lstm explain`: the arithmetic as it is printed, and the walk."""

import re
from decimal import Decimal
from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.console import UNLIMITED, Terminal
from cli.explained import Sheet
from cli.explanation_tables import sheet_parts
from cli.tables import show
from lstm.address import Address
from lstm.analysis.explanation import explain
from lstm.analysis.terms import Explanation, Group, Term
from lstm.model import Model
from lstm.parameters import CellParameters, LayerParameters, Parameters
from lstm.variants import Variant
from tests.strategies import few, make_cell, make_model
from weights import load, save

FORGET = """\
latch  set [reset] hold
l0.f[0]@1 = 0.0000: forget gate, FGOP, of unit 0

                              weight  value   product       sum
WFG · INP of reset  W_f x                             -200.0000
  l0.x[1]@1                -200.0000 1.0000 -200.0000
  l0.x[0]@1                -200.0000 0.0000    0.0000
WFG · CURRHS        U_f h'                               0.0000
  l0.h[0]@0                   0.0000 0.7616    0.0000
BFG                 b_f                                100.0000
pre-activation      z_f                               -100.0000
FGOP = sigmoid(z_f) f                                    0.0000

l0.f[0]  1 while the latch is set, else 0

"""

WALK = """\
brackets

Step 1 of 0 to 1  ( [)]

forgot    0% of what was there; 1 kept more than half; most lost: nothing
wrote     100% of what was new; 1 took more than half; most written: l0.c[0] -1.00
revealed  100% of what it holds; 1 show more than half; most shown: nothing

unit    CURRCS FGOP IPGOP CNDCS NEWCS change OGOP NEWHS
            c'    f     i     g     c c - c'    o     h
l0.c[0]   1.00 1.00  1.00 -1.00  0.00  -1.00 1.00  0.00

l0.c[0]  the nesting depth

label  outside 99%  inside 1%  unbalanced 1%

"""


def columns(lines):
    """The amounts of a printed sheet: (name, product or None, sum or None), row by row."""
    heading = next(n for n, line in enumerate(lines) if re.search(r"product +sum$", line))
    ends = {lines[heading].index(name) + len(name): name for name in ("product", "sum")}
    for line in lines[heading + 1 : lines.index("", heading)]:
        found = {ends.get(match.end()): match[0] for match in re.finditer(r"\S+", line)}
        yield line.split("  ")[0].strip() or line.strip(), found.get("product"), found.get("sum")


def check_sums(lines, total_name):
    """Each sum is that of the products above it, the total that of the sums; to the last digit."""
    total, group, products = Decimal(0), None, []
    for name, product, amount in columns(lines):
        if product is not None:
            products.append(Decimal(product))
            continue
        if products:
            assert sum(products) == group
        if name.startswith(total_name):
            assert Decimal(amount) == total
            return total
        group, products = Decimal(amount), []
        total += group
    raise AssertionError("there is no total")


def printed(sheet):
    console = Terminal(False, UNLIMITED, False).console(StringIO())
    for part in sheet_parts(sheet):
        show(console, part)
    return console.file.getvalue().splitlines()


numbers = st.floats(-1e6, 1e6, allow_nan=False)
terms = st.tuples(numbers, numbers)


@few
@given(
    st.lists(terms, min_size=1, max_size=9), st.lists(terms, min_size=1, max_size=9), numbers,
    st.integers(1, 10), st.integers(0, 12), st.floats(-1e-3, 1e-3),
)  # fmt: skip
def test_printed_terms_add_up_to_the_printed_total(inputs, hidden, bias, top, digits, noise):
    model = make_model()
    trace = model.run("the cat sat")
    at = Address.parse("l0.z_f[1]@1")
    groups = (
        Group("input", tuple(Term(at._replace(units=n), *t) for n, t in enumerate(inputs))),
        Group("hidden", tuple(Term(at._replace(units=n), *t) for n, t in enumerate(hidden))),
        Group("bias", (Term(None, 1.0, bias),)),
    )
    exact = sum(group.amount for group in groups) + noise
    found = Explanation(groups, exact)
    sheet = Sheet(model, trace, at, found, top, digits)
    total = check_sums(printed(sheet), "pre-activation")
    assert float(total) == pytest.approx(exact, abs=10.0**-digits)


@pytest.mark.parametrize(("top", "digits"), [("1", "0"), ("2", "4"), ("9", "17")])
@pytest.mark.parametrize(
    ("at", "total"),
    [("l0.f[2]@1", "pre-activation"), ("l0.z_g[0]@0", "pre-activation"), ("l0.c[4]", "NEWCS"),
     ("l0.h[1]@1", "NEWHS"), ("logit(black)@1", "logit"), ("coffee", "logit")],
)  # fmt: skip
def test_the_real_output_adds_up(done, tiny, at, total, top, digits):
    given = ("explain", "john likes", "-w", tiny, "--at", at, "--top", top, "--digits", digits)
    lines = done(*given).lines
    prepared = ("NEWCS", "tanh") if total == "NEWHS" else ("no such line",)
    check_sums([line for line in lines if not line.startswith(prepared)], total)


def test_the_whole_sheet_of_a_gate(done):
    lines = done("explain", "set reset hold", "-w", "latch", "--at", "l0.f[0]@1").lines
    assert lines == FORGET.splitlines()


def test_a_cell_is_shown_with_its_four_numbers(done):
    lines = done("explain", "(()", "-w", "brackets", "--at", "l0.c[0]@2", "--digits", "1").lines
    assert "FGOP × CURRCS f c'    1.0   2.0          2.0" in lines
    assert "IPGOP × CNDCS i g     1.0  -1.0         -1.0" in lines
    assert "NEWCS         c                          1.0" in lines


def test_a_hidden_state_is_shown_with_what_it_is_made_of(done):
    lines = done("explain", "((", "-w", "brackets", "--at", "l0.h[0]", "--digits", "2").lines
    assert "NEWCS              c                              2.00" in lines
    assert "tanh(NEWCS)        tanh(c)                        0.96" in lines
    assert "OGOP × tanh(NEWCS) o tanh(c)   1.00  0.96         0.96" in lines


def test_terms_that_are_not_shown_are_summed(done, tiny):
    given = ("explain", "john likes", "-w", tiny, "--at", "l0.i[2]@1", "--top", "2")
    shown = done(*given).stdout
    assert "the rest: 2 inputs" in shown
    assert "the rest: 3 units" in shown
    assert "The terms add up to the total as printed" in shown
    assert "the rest" not in done(*given[:-1], "9").stdout


def test_the_units_for_and_against_a_next_word(done, tiny):
    lines = done("explain", "john likes", "-w", tiny, "--at", "black", "--top", "1").lines
    trace = load(tiny).run("john likes")
    value = float(trace.logits[1, 5])
    rank = 1 + int((trace.logits[1] > trace.logits[1, 5]).sum())
    best = {p.name: p.probability for p in trace.forecast(7).predictions[1]}
    assert lines[1] == (
        f"logit(black)@1 = {value:.4f}: probability {best['black']:.0%}, rank {rank} of 7"
    )
    assert sum(line.startswith("units that speak") for line in lines) == 2
    named = done("explain", "john", "-w", tiny, "--at", "black", "--top", "9").stdout
    assert "l0.h[3]  nothing at all" in named


def test_a_word_with_a_step(done, tiny):
    given = ("explain", "john likes", "-w", tiny, "--at")
    first = done(*given, "black@0").stdout
    assert first == done(*given, "logit(black)@0").stdout
    assert first != done(*given, "black").stdout


def test_above_the_first_layer_the_inputs_are_units_of_the_layer_below(done, deep):
    given = ("explain", "the cat sat", "-w", deep, "--at", "l1.reverse.g[1]@2", "--top", "9")
    shown = done(*given).stdout
    assert "l0.h[2]@2" in shown
    assert "l0.reverse.h[0]@2" in shown
    assert "l1.reverse.h[0] at the start" in shown
    assert "WCS · INP " in shown
    assert " of sat" not in shown


@pytest.mark.parametrize("at", ["l0.f[3]@1", "l0.c[3]", "l0.h[3]@0", "l0.ig[3]", "logit(john)@0"])
def test_json_holds_what_the_sheet_shows(done, valid, tiny, at):
    given = ("explain", "john likes", "-w", tiny, "--at", at, "--top", "2", "--json")
    document = valid("explain", done(*given).json)
    found = document["explanation"]
    assert document["walk"] == []
    assert found["address"].startswith(at)
    total = 0.0
    for group in found["groups"]:
        shown = sum(term["amount"] for term in group["terms"])
        assert shown + group["rest"]["amount"] == pytest.approx(group["amount"], abs=1e-12)
        assert len(group["terms"]) <= 2
        total += group["amount"]
    assert total == pytest.approx(found["sum"], abs=1e-5)
    assert found["token"] == ("john" if found["step"] == 0 else "likes")
    if at.startswith("l0.f"):
        value = load(tiny).run("john likes").layers[0].forward.forget[1, 3]
        assert found["value"] == pytest.approx(float(value))
        assert found["tells"] == "nothing at all"
        assert [one["function"] for one in found["applied"]] == ["sigmoid"]


def test_the_whole_screen_of_a_walk(done):
    lines = done("explain", "()", "-w", "brackets", "--steps", "1").lines
    assert lines == WALK.splitlines()


def test_a_walk_tells_each_step_and_what_is_expected(done, tiny):
    lines = done("explain", "john likes coffee", "-w", tiny, "--top", "2").lines
    steps = [line for line in lines if line.startswith("Step ")]
    assert steps == [
        "Step 0 of 0 to 2  [john] likes coffee",
        "Step 1 of 0 to 2  john [likes] coffee",
        "Step 2 of 0 to 2  john likes [coffee]",
    ]
    assert "nothing was there yet" in " ".join(lines)
    forecast = load(tiny).run("john likes coffee").forecast(2)
    first, second = forecast.predictions[2]
    expects = f"{first.name} {first.probability:.0%}  {second.name} {second.probability:.0%}"
    assert f"expects now  {expects}" in lines
    assert f"surprise     {forecast.surprisal[1]:.1f} bits" in lines


def test_named_units_come_first(done, tiny):
    lines = done("explain", "john likes", "-w", tiny, "--top", "2", "--steps", "1").lines
    first = next(n for n, line in enumerate(lines) if line.startswith("unit")) + 2
    rows = [line.split()[0] for line in lines[first : lines.index("", first)]]
    record = load(tiny).run("john likes").layers[0].forward
    change = np.abs(record.cell[1] - record.cell[0])
    others = [f"l0.c[{unit}]" for unit in np.argsort(-change) if unit != 3]
    assert rows == ["l0.c[3]", *others[:2]]


def test_json_of_a_walk(done, valid, deep):
    given = ("explain", "the cat sat", "-w", deep, "--json")
    document = valid("explain", done(*given, "--steps", "1:", "--layers", "1").json)
    assert document["explanation"] is None
    assert [step["step"] for step in document["walk"]] == [1, 2]
    record = load(deep).run("the cat sat").layers[1].reverse
    for step in document["walk"]:
        assert [cell["direction"] for cell in step["cells"]] == ["forward", "reverse"]
        cell = step["cells"][1]
        assert cell["forgot"] == pytest.approx(1 - float(record.forget[step["step"]].mean()))
        for change in cell["changes"]:
            kept = change["forget"] * change["before"]
            after = kept + change["input"] * change["candidate"]
            assert change["after"] == pytest.approx(after, abs=1e-6)
            assert change["change"] == pytest.approx(after - change["before"], abs=1e-6)
        assert step["surprisal"] is None
        assert [best["name"] for best in step["expected"]] in (["N", "V"], ["V", "N"])


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("more", [[], ["--at", "l0.f[83]"], ["--at", "are"], ["--at", "l0.h[9]"]])
def test_it_fits_on_a_terminal(terminal, columns, more):
    text = "The boys near the car that is black"
    shown = terminal("explain", text, *more, columns=columns, env={"NO_COLOR": "1"})
    assert (shown.code, shown.stderr) == (0, "")
    assert max(map(cell_len, shown.lines)) <= columns


def test_on_a_narrow_terminal_a_walk_leaves_nothing_out(terminal, done):
    given = ("explain", "The boys near the car", "--steps", "1")
    shown = terminal(*given, columns=45, env={"NO_COLOR": "1"})
    assert max(map(cell_len, shown.lines)) <= 45
    assert " ".join(shown.stdout.split()) == " ".join(done(*given).stdout.split())


def test_colours_do_not_change_the_text(done, tiny):
    for more in ([], ["--at", "l0.f[3]"]):
        given = ("explain", "john likes", "-w", tiny, *more)
        colored = done(*given, "--color", "always").stdout
        assert "\x1b[" in colored
        bare = re.sub("\x1b\\[[0-9;]*m", "", colored)
        assert [line.rstrip() for line in bare.splitlines()] == done(*given).lines


def test_vectors_have_no_words_and_a_model_without_a_head_expects_nothing(done, bare, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("explain", "--vectors", tmp_path / "x.npy", "-w", bare)
    lines = done(*given).lines
    assert "Step 1 of 0 to 1  step 1 of 2" in lines
    assert not any(line.startswith("expects") for line in lines)
    assert any(line.startswith("WFG · INP ") for line in done(*given, "--at", "l0.f[0]").lines)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("l0.f@1", "--at: expected one unit at one step, such as l0.f[42]@3, found 'l0.f@1'."),
        ("l0.f[0]@1:", "--at: expected one unit at one step, such as l0.f[42]@3, found"),
        ("l0.q[0]", "--at: address 'l0.q[0]': expected layer.quantity[unit]@step"),
        ("l0.f[1]", "--at: expected units 0 to 0, found 1."),
        ("l1.f[0]", "--at: expected layers 0 to 0, found 1."),
        ("l0.reverse.f[0]", "--at: the model reads forward only, found reverse."),
        ("l0.f[0]@2", "--at: expected steps 0 to 1, found 2."),
        ("inside@2", "--at: expected steps 0 to 1, found 2."),
        ("sun", "--at: logit(sun): expected one of 3 names that the head scores, found 'sun'."),
        ("", "--at: expected l0.f[42]@3, logit(WORD)@3 or a next word, found ''."),
    ],
)
def test_a_place_that_is_not_there_is_refused(refusal, at, message):
    assert refusal(2, "explain", "((", "-w", "brackets", "--at", at).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "l0.f[0]", "--steps", "1"], "--layers and --steps: --at names a layer and a"),
        (
            ["--json", "--digits", "2"],
            "--digits: it has no effect with --json: only tables are rounded and have colours.",
        ),
        (["--steps", "2"], "--steps: expected steps 0 to 1, found 2."),
        (["--layers", "1"], "--layers: expected 0, as there is no other, found 1."),
        (["--top", "0"], "Invalid value for '--top': 0 is not in the range x>=1."),
    ],
)
def test_what_cannot_be_followed_is_refused(refusal, arguments, message):
    assert refusal(2, "explain", "((", "-w", "brackets", *arguments).startswith(message)


def test_an_input_is_given_and_not_computed(refusal):
    said = refusal(3, "explain", "((", "-w", "brackets", "--at", "l0.x[0]")
    assert said.endswith(
        "found a layer's input, which it is given. Ask for a gate, a cell state or a hidden state."
    )


def test_what_a_variant_makes_impossible_is_refused_by_name(refusal, done, tmp_path):
    cell = make_cell(np.random.default_rng(0))
    normed = CellParameters(*cell.arrays, Variant(norm_gain=np.ones(12)))
    save(tmp_path / "m.safetensors", Model(Parameters((LayerParameters(normed),))))
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("explain", "--vectors", tmp_path / "x.npy", "-w", tmp_path / "m.safetensors", "--at")
    assert "found layer normalisation of the gates" in refusal(3, *given, "l0.f[1]")
    assert "NEWCS" in done(*given, "l0.c[1]").stdout  # the cell is still a sum


def test_a_clip_and_a_projection_are_said(done, tmp_path):
    random = np.random.default_rng(0)
    cell = make_cell(random)
    matrix = random.normal(size=(2, 3))
    variant = Variant(cell_clip=0.01, projection=matrix, projection_clip=0.001)
    clipped = CellParameters(cell.weight_ih, cell.weight_hh[:, :2], cell.bias, variant)
    save(tmp_path / "m.safetensors", Model(Parameters((LayerParameters(clipped),))))
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("explain", "--vectors", tmp_path / "x.npy", "-w", tmp_path / "m.safetensors", "--at")
    assert "cut to ±0.01" in done(*given, "l0.c[1]").stdout
    shown = done(*given, "l0.h[1]").stdout
    assert "cut to ±0.001" in shown
    assert "projection · (OGOP × tanh(NEWCS))" in shown
    changes = done(*given[:-1], "--json").json["walk"][0]["cells"][0]["changes"]
    assert [change["hidden"] for change in changes] == [None] * 3


def test_variants_are_called_by_their_names(done, tmp_path):
    random = np.random.default_rng(0)
    vector = random.normal(size=3)
    variant = Variant(
        coupled="input", peephole_forget=vector, peephole_output=vector, peephole_shown=vector,
        cell_activation="softsign",
    )  # fmt: skip
    cell = CellParameters(*make_cell(random).arrays, variant)
    save(tmp_path / "m.safetensors", Model(Parameters((LayerParameters(cell),))))
    np.save(tmp_path / "x.npy", np.eye(2))
    given = ("explain", "--vectors", tmp_path / "x.npy", "-w", tmp_path / "m.safetensors", "--at")
    coupled = done(*given, "l0.i[1]").lines
    check_sums(coupled, "IPGOP")
    assert any(line.startswith("-FGOP ") for line in coupled)
    assert not any(line.startswith("pre-activation") for line in coupled)
    assert "peephole · CURRCS" in done(*given, "l0.f[1]").stdout
    assert "peephole · NEWCS" in done(*given, "l0.z_o[1]").stdout
    assert "OGOP × softsign(NEWCS + peephole)" in done(*given, "l0.h[1]").stdout
    squashed = [line.split()[0] for line in done(*given, "l0.tanh_c[1]").lines[4:6]]
    assert squashed == ["NEWCS", "softsign(NEWCS)"]


def test_what_is_not_finite_is_shown_by_name(done, infinite):
    shown = done(
        "explain", "up nil", "-w", infinite, "--allow-nonfinite", "--at", "l0.g[0]@1"
    ).stdout
    assert "nan" in shown
    assert "Infinity" not in shown


def test_explain_is_a_function_of_the_trace():
    model = make_model()
    trace = model.run("the cat")
    at = Address.parse("l0.f[1]@1")
    assert explain(model, trace, at) == explain(model, trace, at)


def test_of_a_long_text_the_words_around_the_step_are_shown(done, tiny):
    words = [("likes", "black", "coffee")[n % 3] for n in range(60)]
    given = ("explain", " ".join(words), "-w", tiny, "--steps")
    (middle, early, late) = (
        next(line for line in done(*given, step).lines if line.startswith("Step "))
        for step in ("30", "3", "59")
    )
    shown = " ".join([*words[10:30], f"[{words[30]}]", *words[31:51]])
    assert middle == f"Step 30 of 0 to 59  … {shown} …"
    assert early.startswith("Step 3 of 0 to 59  likes black coffee [")
    assert early.endswith(" …")
    assert late.endswith(f"{words[58]} [{words[59]}]")
