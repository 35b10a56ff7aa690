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


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--set", "l0.c[0]=1"), 3, "expected an address, := and a number, such as l0.f[81]@2:=1."),
        (("--set", "l0.z_f[0]:=1"), 3, "expected one of i, f, g, o, c and h"),
        (("--set", "l0.c[200]:=1"), 3, "l0.c[200]: unit: expected 0 to 127, found 200."),
        (("--set", "l0.c[2]@9:=1"), 3, "l0.c[2]@9: step: expected 0 to 4, found 9."),
        (("--ablate", "unit 3"), 3, "expected layer.quantity[unit]@step"),
        (("--patch", "l0.c"), 2, "--from: --patch says what to take, --from from which run."),
        (("--from", "x"), 2, "--patch: --patch says what to take, --from from which run."),
        (("--patch", "l0.c[1]@7", "--from", "the boy"), 3, "l0.c[1]@7: the run that it is taken"),
        (("--patch", "l0.c", "--from", "the boy"), 3, "l0.c: expected 5 steps of 128 units from"),
        (("--patch", "l2.c", "--from", "the boy"), 3, "l2.c: the run that it is taken from has no"),
    ],
)
def test_what_cannot_be_set_is_refused(refusal, options, code, message):
    assert message in refusal(code, "run", PLURAL, *options)
