"""`--set`, `--ablate` and `--patch` through the real command."""

import numpy as np
import pytest

PLURAL, SINGULAR = "the boys near the car", "the boy near the cars"
UNIT = "l0.c[83]"  # of english: the subject's number


def steps(document):
    return document["sequences"][0]["steps"]


def best(document):
    return document["sequences"][0]["next"][-1][0]["token"]


def test_a_value_that_is_set_is_recorded_and_said(done, valid):
    document = valid("trace", done("run", PLURAL, "--json", "--set", "l0.f[3]@1:2:=0.5").json)
    assert document["model"]["changed"] == ["l0.f[3]@1:2:=0.5"]
    document = done("run", PLURAL, "--json", "--show", "forget", "--set", "l0.f[3]@1:=0.5").json
    values = [step["forget"][3] for step in steps(document)]
    assert values[1] == 0.5
    assert 0.5 not in (values[0], values[2])
    assert "changed" not in done("run", PLURAL, "--json").json["model"]
    assert "with l0.f[3]@1:=0.5" in done("run", PLURAL, "--set", "l0.f[3]@1:=0.5").stdout


def test_the_unit_of_the_subjects_number_decides_the_verb(done):
    """Clamped or carried over from the other sentence: the model gets the verb wrong."""
    assert best(done("run", PLURAL, "--json").json) == "want"
    assert best(done("run", SINGULAR, "--json").json) == "is"
    assert best(done("run", PLURAL, "--json", "--set", f"{UNIT}@1:=-3").json) == "wants"
    taken = ("--patch", f"{UNIT}@1", "--from", SINGULAR)
    assert best(done("run", PLURAL, "--json", *taken).json) == "wants"


@pytest.mark.parametrize("ending", ["json", "npz", "safetensors", "csv"])
def test_a_patch_may_come_from_a_saved_trace(done, tmp_path, ending):
    path = tmp_path / f"trace.{ending}"
    done("run", SINGULAR, "-o", path)
    one = done("run", PLURAL, "--json", "--patch", f"{UNIT}@1", "--from", path).json
    two = done("run", PLURAL, "--json", "--patch", f"{UNIT}@1", "--from", SINGULAR).json
    assert one == two


def test_an_ablated_unit_shows_nothing(done):
    document = done("run", PLURAL, "--json", "--ablate", "l0[83]", "--ablate", "l0[0:2]").json
    hidden = np.array([step["hidden"] for step in steps(document)])
    assert not hidden[:, [0, 1, 83]].any()
    assert hidden[:, 2:83].all()


COMMANDS = [
    ("explain", PLURAL),
    ("explain", PLURAL, "--at", "are"),
    ("memory", PLURAL),
    ("memory", PLURAL, "--of", "logit(are)"),
    ("sweep", PLURAL, "--metric", "p(are)", "--over", "l0.f[83]"),
    ("contrast", PLURAL, SINGULAR),
    ("generate", PLURAL),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_runs_a_text_changes_it_and_says_so(command, done, valid):
    changes = ("--set", f"{UNIT}@1:=-3", "--ablate", "l0[3]")
    document = done(*command, "--json", *changes).json
    name = "trace" if command[0] == "generate" else command[0]
    assert valid(name, document)["model"]["changed"] == [f"{UNIT}@1:=-3", "l0.h[3]:=0"]
    plain = done(*command, "--json").json
    assert "changed" not in plain["model"]
    assert {**plain, "model": None} != {**document, "model": None}
    if command[0] != "generate":  # which prints the text alone
        assert f"english, with {UNIT}@1:=-3, with l0.h[3]:=0" in done(*command, *changes).stdout


def test_the_number_that_is_set_decides_how_the_text_goes_on(done):
    assert done("generate", PLURAL, "--steps", "1").stdout == f"{PLURAL} want\n"
    given = ("generate", PLURAL, "--steps", "1", "--set", f"{UNIT}@1:=-3")
    assert done(*given).stdout == f"{PLURAL} wants\n"
    patched = ("--patch", f"{UNIT}@1", "--from", SINGULAR)
    assert done("generate", PLURAL, "--steps", "1", *patched).stdout == f"{PLURAL} wants\n"


def test_what_is_set_may_lie_in_the_text_to_come(done, refusal):
    given = ("generate", PLURAL, "--steps", "4", "--json")
    document = done(*given, "--set", f"{UNIT}@6:=9").json
    assert document["sequences"][0]["steps"][6]["cell"][83] == 9
    said = refusal(3, *given, "--set", f"{UNIT}@9:=9")
    assert said == f"{UNIT}@9: step: expected 0 to 8, found 9."


def test_what_a_clamped_cell_holds_was_written_there(done):
    given = ("memory", PLURAL, "--unit", UNIT, "--set", f"{UNIT}@1:=-3")
    (cell,) = done(*given, "--json").json["cells"]
    (unit,) = cell["units"]
    assert unit["shares"][1] == [0, 0, -3, 0, 0, 0]
    assert cell["residual"] <= 1e-5
    said = "A state that is set to another value counts as written at that step."
    assert said in done(*given).stdout
    assert said not in done("memory", PLURAL).stdout


def test_a_value_that_is_set_has_no_arithmetic(refusal):
    given = ("explain", PLURAL, "--at", f"{UNIT}@1", "--set", f"{UNIT}@1:=-3")
    expected = (
        "expected what a cell computes, found a value that was put there. "
        "Ask for what is computed from it."
    )
    assert refusal(3, *given) == f"{UNIT}@1: {expected}"


def test_a_sweep_tells_what_would_mend_a_change(done):
    """Each value is set back to what it is in the run where nothing is changed."""
    given = ("--set", f"{UNIT}@1:=-3", "--from", PLURAL, "--over", "l0.c[80:90]@1")
    found = done("sweep", PLURAL, "--metric", "logit(are) - logit(is)", *given, "--json").json
    assert found["effects"][0]["address"] == f"{UNIT}@1"
    plain = done("sweep", PLURAL, "--metric", "logit(are) - logit(is)", "--json").json
    assert found["effects"][0]["after"] == pytest.approx(plain["before"], abs=1e-4)
    assert all(one["effect"] == 0 for one in found["effects"][1:])


def test_a_warm_up_is_read_as_it_is(done):
    given = ("run", "near the car", "--warm-up", "the boys", "--json")
    plain, changed = (done(*given, *more).json for more in ((), ("--set", f"{UNIT}@1:=-3")))
    first, other = (document["sequences"][0]["steps"][0] for document in (plain, changed))
    assert first == other
    assert changed["sequences"][0]["steps"][1]["cell"][83] == -3


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            ("--set", "l0.c[0]=1"),
            2,
            "--set: 'l0.c[0]=1': expected an address, := and a number, such as l0.f[81]@2:=1.",
        ),
        (("--set", "l0.z_f[0]:=1"), 2, "--set: 'l0.z_f[0]': expected one of i, f, g, o, c and h"),
        (("--set", "l0.c[200]:=1"), 3, "l0.c[200]: unit: expected 0 to 127, found 200."),
        (("--set", "l0.c[2]@9:=1"), 3, "l0.c[2]@9: step: expected 0 to 4, found 9."),
        (("--ablate", "unit 3"), 2, "--ablate: 'unit 3': expected a layer and its units"),
        (("--ablate", "l0[3]@2"), 2, "--ablate: 'l0[3]@2': expected a layer and its units"),
        (("--patch", "c[1]", "--from", "the boy"), 2, "--patch: address 'c[1]': expected"),
        (("--patch", "l0.c"), 2, "--from: --patch says what to take, --from from which run."),
        (("--from", "x"), 2, "--patch: --patch says what to take, --from from which run."),
        (("--patch", "l0.c[1]@7", "--from", "the boy"), 3, "l0.c[1]@7: the run that it is taken"),
        (("--patch", "l0.c", "--from", "the boy"), 3, "l0.c: expected 5 steps of 128 units from"),
        (("--patch", "l2.c", "--from", "the boy"), 3, "l2.c: the run that it is taken from has no"),
    ],
)
def test_what_cannot_be_set_is_refused(refusal, options, code, message):
    assert message in refusal(code, "run", PLURAL, *options)
